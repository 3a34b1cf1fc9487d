import { preparePassword, ScramSecret } from '@postern/sasl';
import type { HashQueue } from '../hashing/hash-queue.ts';
import { argon2Work, checkArgon2Cost, hashArgon2id } from './argon2.ts';
import { defaultPolicy, type PasswordPolicy, type ScramCost } from './policy.ts';

/** The options of {@link hashPassword}. */
export interface HashPasswordOptions {
  /** Computes the hashes. */
  readonly queue: Pick<HashQueue, 'run'>;
  /** Default: {@link defaultPolicy}. */
  readonly policy?: PasswordPolicy | undefined;
  /** Ends the waiting for the queue. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Resolves to the forms of a password to store: an argon2id hash, and the SCRAM records of the
 * policy in the form of PostgreSQL. All are made of the password as SASLprep prepares it, or as it
 * is where SASLprep refuses it.
 *
 * @throws TypeError for a text that no server accepts as a password: empty, longer than 4,096
 * octets, malformed, or with NUL.
 * @throws RangeError for a policy out of range.
 * @throws TemporaryFailure if the queue is full.
 *
 * @example
 * ```ts
 * import { HashQueue, hashPassword } from '@postern/users';
 *
 * await using queue = new HashQueue();
 * const secrets = await hashPassword('correct horse battery staple', { queue });
 * console.log(secrets.length);
 * ```
 */
export async function hashPassword(
  password: string,
  { queue, policy = defaultPolicy, signal }: HashPasswordOptions,
): Promise<readonly string[]> {
  const prepared = preparePassword(password);
  if (prepared === undefined) {
    throw new TypeError('a password is not empty, has at most 4,096 octets and no NUL, and is well-formed');
  }
  checkArgon2Cost(policy.argon2id);
  const argon2id = () => hashArgon2id(Buffer.from(prepared), policy.argon2id);
  const scram = async (cost: ScramCost) => (await ScramSecret.derive(password, cost)).format('postgresql');
  return Promise.all([
    queue.run(argon2Work(policy.argon2id), argon2id, signal),
    ...policy.scram.map((cost) => queue.run({ place: 'pool', memory: 0 }, () => scram(cost), signal)),
  ]);
}
