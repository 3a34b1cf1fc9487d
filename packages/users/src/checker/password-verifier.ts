import { randomBytes } from 'node:crypto';
import type { UsernamePassword } from '@postern/cred';
import type { HashQueue } from '../hashing/hash-queue.ts';
import { hashPassword } from '../secrets/hash-password.ts';
import { isCramMd5KeyOf, isDigestMd5KeyOf } from '../secrets/md5-keys.ts';
import type { PasswordPolicy } from '../secrets/policy.ts';
import type { HashWork } from '../secrets/secret.ts';
import { DecoySecrets } from './decoy-secrets.ts';
import type { SecretReader, StoredSecrets } from './stored-secrets.ts';

/**
 * Compares passwords that clients send as they are with stored secrets. The work for a user without
 * a secret is that of some user of the store, so that time and load reveal no user names. Before
 * any user is known, it is that of a new user's secrets.
 */
export class PasswordVerifier {
  readonly #queue: HashQueue;
  readonly #policy: PasswordPolicy;
  readonly #reader: SecretReader;
  readonly #decoys = new DecoySecrets();
  /** The secrets of a new user, with a random password. */
  #fresh: Promise<StoredSecrets> | undefined;

  constructor(queue: HashQueue, policy: PasswordPolicy, reader: SecretReader) {
    this.#queue = queue;
    this.#policy = policy;
    this.#reader = reader;
  }

  /**
   * Resolves to true if a secret is the password's. Hashes are compared in order; without a hash, a
   * SCRAM secret; then the password in clear text, or the keys of CRAM-MD5 and DIGEST-MD5.
   *
   * The password of a client that disconnects after the first comparison is wrong unless that one
   * was right: the client has had a hash computed, and a throttle has to count it.
   *
   * @throws TemporaryFailure if the queue is full, or if the signal aborts before a comparison.
   */
  async verify(credentials: UsernamePassword, secrets: StoredSecrets, signal: AbortSignal): Promise<boolean> {
    const { hashes, clear } = secrets;
    let isCompared = false;
    for (const hash of hashes) {
      const compare = async (password: string): Promise<boolean> => {
        try {
          return await this.#queue.verify(hash, password, signal);
        } catch (error) {
          if (isCompared && signal.aborted) return false;
          throw error;
        } finally {
          isCompared = true;
        }
      };
      if (await credentials.verifyPassword(compare)) return true;
    }
    if (hashes.length > 0) return false;
    const [scram] = secrets.scram;
    if (scram !== undefined) {
      return await this.#queue.run(SCRAM_WORK, () => scram.verifyPassword(credentials.password), signal);
    }
    if (clear !== undefined) return credentials.checkPassword(clear);
    return await credentials.verifyPassword((password) => isKeyOf(password, secrets));
  }

  /**
   * Does the work of a comparison for a user without a usable secret. `name` is the canonical name.
   */
  async verifyDecoy(credentials: UsernamePassword, name: string, signal: AbortSignal): Promise<void> {
    await this.verify(credentials, this.#decoys.of(name) ?? (await this.#newSecrets()), signal);
  }

  /** Remembers the secrets of a user of the store's sample, for comparisons of unknown users. */
  sample(secrets: StoredSecrets): void {
    this.#decoys.sample(secrets);
  }

  /** Remembers the secrets of a user that logs in, for comparisons of unknown users. */
  learn(secrets: StoredSecrets): void {
    this.#decoys.learn(secrets);
  }

  /** Computed when it is first needed. A failure is not kept: the queue may be full just now. */
  #newSecrets(): Promise<StoredSecrets> {
    this.#fresh ??= this.#computeSecrets().catch((error: unknown) => {
      this.#fresh = undefined;
      throw error;
    });
    return this.#fresh;
  }

  async #computeSecrets(): Promise<StoredSecrets> {
    const secrets = await hashPassword(randomBytes(32).toString('base64url'), {
      queue: this.#queue,
      policy: this.#policy,
    });
    return this.#reader.read('', secrets);
  }
}

function isKeyOf(password: string, { username, cramMd5, digestMd5 }: StoredSecrets): boolean {
  if (cramMd5 !== undefined) return isCramMd5KeyOf(password, cramMd5);
  return digestMd5.some((key) => isDigestMd5KeyOf(password, username, key));
}

/** PBKDF2 runs on libuv's pool. */
const SCRAM_WORK: HashWork = { place: 'pool', memory: 0 };
