import type { Transport } from '@postern/conversation';
import { ANONYMOUS, type AvatarFactory, NoAvatar } from '@postern/cred';
import { connect } from '@postern/node';
import type { BackEndServer } from '../back-end-url.ts';

/** The options of a back end that a {@link BackEndServer} sets. */
interface BackEndLogin {
  readonly connect: (signal: AbortSignal) => Promise<Transport>;
  readonly account: {
    readonly username: string;
    readonly password: string;
    readonly masterUser: string;
    readonly masterSeparator: string | undefined;
  };
}

/**
 * Returns the factory of back ends: that of the operator, or one that logs in at the server as its
 * master user for each user.
 *
 * @throws RangeError for a master user whose name the server would read in another way.
 */
export function backEndFactory<B extends object>(
  backEnd: BackEndServer | AvatarFactory<B>,
  create: (login: BackEndLogin) => B,
): AvatarFactory<B> {
  if (typeof backEnd === 'function') return backEnd;
  const { endpoint, tls, masterUser, masterSeparator, password } = backEnd;
  const login = (username: string): BackEndLogin => ({
    connect: (signal) => connect({ endpoint, tlsPolicy: tls, unverified: tls === 'offered', signal }),
    account: { username, password, masterUser, masterSeparator },
  });
  // A wrong name of the master user fails at the start, and not at the first login.
  create(login('joe'));
  return (avatarId) => {
    if (avatarId === ANONYMOUS) throw new NoAvatar('an anonymous client has no back end');
    try {
      return create(login(avatarId));
    } catch (error) {
      if (error instanceof RangeError) throw new NoAvatar(`the user ${avatarId} cannot log in: ${error.message}`);
      throw error;
    }
  };
}
