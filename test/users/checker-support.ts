import { createHash, randomBytes } from 'node:crypto';
import { AvatarRealm, Portal } from '@postern/cred';
import { MessageDelivery } from '@postern/esmtp';
import { login, plain } from '@postern/sasl';
import {
  HashQueue,
  InMemoryUserStore,
  type PasswordHash,
  type PasswordPolicy,
  UserChecker,
  type UserCheckerOptions,
} from '@postern/users';
import { RecordingDelivery, Server, type ServerOptions } from '../esmtp/server.ts';

/** Returns a stored secret of the password that takes microseconds to compare. */
export function hashed(password: string): string {
  const salt = randomBytes(8);
  return `{SSHA512}${Buffer.concat([createHash('sha512').update(password).update(salt).digest(), salt]).toString('base64')}`;
}

/** A queue that records the scheme of each comparison. An empty password costs none. */
class RecordingQueue extends HashQueue {
  readonly compared: string[] = [];

  override verify(hash: PasswordHash, password: string, signal?: AbortSignal): Promise<boolean> {
    if (password !== '') this.compared.push(hash.scheme);
    return super.verify(hash, password, signal);
  }
}

/** Parameters of new hashes that are cheap to compute. */
export const CHEAP_POLICY: PasswordPolicy = {
  argon2id: { memory: 64, passes: 1, parallelism: 1 },
  scram: [{ hash: 'sha256', iterations: 4096 }],
};

/** A checker with what a test observes. */
export function checkerOf(users: ConstructorParameters<typeof InMemoryUserStore>[0], options: UserCheckerOptions = {}) {
  const store = new InMemoryUserStore(users);
  const queue = new RecordingQueue();
  const errors: Error[] = [];
  const onError = (error: Error) => void errors.push(error);
  const checker = new UserChecker(store, { queue, policy: CHEAP_POLICY, onError, now: () => NOW, ...options });
  return { store, queue, errors, checker };
}

/** Returns a server of submission whose users the checker knows. */
export function serverOf(checker: UserChecker, options: ServerOptions = {}): Server {
  const delivery = new RecordingDelivery();
  const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => delivery)).register(checker);
  return new Server({ portal, delivery, challengers: [plain(), login()], ...options });
}

/** The time of the tests in milliseconds since 1970. */
export const NOW = Date.parse('2026-11-30T12:00:00Z');

export const REFUSED = 'S: 535 5.7.8 Authentication failed';
export const ACCEPTED = 'S: 235 2.7.0 Authentication succeeded';
