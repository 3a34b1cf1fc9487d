// node users.ts memory:COUNT | sqlite:PATH | postgres://URL
//
// A server whose users are in a store, with the limits of Postern but for those that would refuse
// the load. It answers the question `file` with the milliseconds that it takes to read a file.
import { readFile } from 'node:fs/promises';
import { AvatarRealm, Portal } from '@postern/cred';
import { esmtp, type Message, MessageDelivery } from '@postern/esmtp';
import { listen } from '@postern/node';
import { UserChecker } from '@postern/users';
import { openStore } from '../open-store.ts';
import { backlog } from './backlog.ts';

class DiscardDelivery extends MessageDelivery {
  override validateFrom(): void {}

  override validateTo(): void {}

  override openMessage(): Message {
    return { write() {}, end() {}, abort() {} };
  }
}

const store = await openStore(process.argv[2] ?? '');
const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new DiscardDelivery()));
portal.register(new UserChecker(store));
const listener = await listen({
  endpoint: { host: '127.0.0.1', port: 0 },
  protocol: esmtp({
    hostname: 'postern.example.com',
    portal,
    // The pace of challenges hides what a look-up costs.
    limits: { maxLoginFailures: 1e9, undelayedLoginFailures: 1e9, minChallengeDelay: 0 },
  }),
  limits: { maxConnections: 20_000, maxConnectionsPerClient: 20_000 },
  backlog,
});
process.on('message', () => void sendReadTime());
process.on('disconnect', () => process.exit());
process.send?.(listener.address.port);

async function sendReadTime(): Promise<void> {
  const begin = performance.now();
  await readFile(import.meta.filename);
  process.send?.(performance.now() - begin);
}
