import { createHmac, createSecretKey, randomBytes, randomInt } from 'node:crypto';
import { canVerify, type StoredSecrets } from './stored-secrets.ts';

/**
 * The secrets of some users of a store. A password for an unknown user is compared with one of
 * them, and the result is dropped. The comparison then costs what a user of the store costs: bcrypt
 * of cost 12 takes ten times as long as a new hash, and waits in another line.
 *
 * Heavy hashes are left out unless all are heavy. Otherwise a client could cause the work of one
 * user's hash of 1 GiB under any name. A throttle counts each name on its own.
 */
export class DecoySecrets {
  readonly #key = createSecretKey(randomBytes(32));
  /** The position of each user in `#members`. */
  readonly #positions = new Map<string, number>();
  #members: StoredSecrets[] = [];
  #seen = 0;
  /** True while each known user has a heavy hash. */
  #isHeavy = true;

  /** Remembers the secrets of a user of the sample. Each user has the same chance to stay. */
  sample(secrets: StoredSecrets): void {
    if (!this.#isWanted(secrets)) return;
    this.#seen += 1;
    if (this.#members.length < MAX_MEMBERS) {
      this.learn(secrets);
      return;
    }
    const position = randomInt(this.#seen);
    const replaced = this.#members[position];
    if (replaced === undefined) return;
    this.#positions.delete(replaced.username);
    this.#set(position, secrets);
  }

  /** Remembers the secrets of a user that logs in, if the user is a member or a place is free. */
  learn(secrets: StoredSecrets): void {
    if (!this.#isWanted(secrets)) return;
    const position = this.#positions.get(secrets.username) ?? this.#members.length;
    if (position < MAX_MEMBERS) this.#set(position, secrets);
  }

  /** Returns the secrets for this name, the same at each login. Undefined without a known user. */
  of(name: string): StoredSecrets | undefined {
    const digest = createHmac('sha256', this.#key).update(name).digest();
    return this.#members[digest.readUInt32BE() % this.#members.length];
  }

  /** Forgets the heavy members when the first user with a lighter hash is known. */
  #isWanted(secrets: StoredSecrets): boolean {
    if (!canVerify(secrets)) return false;
    if (isHeavy(secrets)) return this.#isHeavy;
    if (this.#isHeavy) {
      this.#isHeavy = false;
      this.#members = [];
      this.#positions.clear();
      this.#seen = 0;
    }
    return true;
  }

  #set(position: number, secrets: StoredSecrets): void {
    this.#positions.set(secrets.username, position);
    this.#members[position] = withoutPassword(secrets);
  }
}

function isHeavy({ hashes, scram: [scram] }: StoredSecrets): boolean {
  if (hashes.length > 0) return hashes.some(({ work }) => work.heavy === true);
  return scram !== undefined && scram.iterations > LIGHT_ITERATIONS;
}

/** A password in clear text is compared in no time, with any text. */
function withoutPassword(secrets: StoredSecrets): StoredSecrets {
  return secrets.clear === undefined ? secrets : { ...secrets, clear: IMPOSSIBLE_PASSWORD };
}

/** About 2 KiB each. The shares of the kinds of secrets are right within some percent. */
const MAX_MEMBERS = 64;

/** The most iterations of a SCRAM secret that is not heavy: about a second. */
const LIGHT_ITERATIONS = 2_000_000;

/** No client sends this password, since it contains NUL. */
const IMPOSSIBLE_PASSWORD = '\0';
