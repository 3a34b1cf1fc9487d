import { type AvatarId, AvatarRealm, type Checker, Portal, UsernamePassword } from '@postern/cred';
import { MessageDelivery } from '@postern/esmtp';
import { FakeClock } from '@postern/testing';
import { RecordingDelivery, Server } from '../../../server.ts';

export const FAILED = 'S: 535 5.7.8 Authentication failed';

/** Returns a server with the test's own password checker. */
export function serverWith(
  requestAvatarId: (credentials: UsernamePassword) => AvatarId | Promise<AvatarId>,
  options: ConstructorParameters<typeof Server>[0] = {},
): Server {
  const clock = new FakeClock();
  const delivery = new RecordingDelivery();
  const portal = new Portal(
    new AvatarRealm().provide(MessageDelivery, () => delivery),
    { clock },
  );
  const checker: Checker<UsernamePassword> = { credentialInterfaces: [UsernamePassword], requestAvatarId };
  return new Server({ portal: portal.register(checker), delivery, clock, ...options });
}
