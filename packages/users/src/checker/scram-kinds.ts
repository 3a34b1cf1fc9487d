import type { ScramHash, ScramParameters } from '@postern/sasl';
import type { StoredSecrets } from './stored-secrets.ts';

/**
 * The iteration counts and salt lengths of the SCRAM secrets of a store, as far as they are known.
 * A challenge shows both, so an unknown user gets one of them: in a user base from Dovecot, all
 * users have 4,096 iterations.
 */
export class ScramKinds {
  readonly #kinds = new Map<ScramHash, readonly ScramParameters[]>();
  #hasClear = false;

  /** Returns the parameters for this hash. Undefined stands for a password in clear text. */
  of(hash: ScramHash): readonly (ScramParameters | undefined)[] {
    const kinds = this.#kinds.get(hash) ?? [];
    return this.#hasClear ? [undefined, ...kinds] : kinds;
  }

  /** Remembers the parameters of a user's secrets. */
  learn({ scram, clear }: StoredSecrets): void {
    if (clear !== undefined) this.#hasClear = true;
    for (const { hash, iterations, salt } of scram) {
      const kinds = this.#kinds.get(hash) ?? [];
      const saltLength = Math.min(salt.length, MAX_SALT_BYTES);
      const isKnown = kinds.some((kind) => kind.iterations === iterations && kind.saltLength === saltLength);
      if (!isKnown && kinds.length < MAX_KINDS) this.#kinds.set(hash, [...kinds, { iterations, saltLength }]);
    }
  }
}

/** Users have new secrets and secrets of one or two earlier programs. */
const MAX_KINDS = 8;

/** The salt of an unknown user is a part of an HMAC of 64 bytes. */
const MAX_SALT_BYTES = 64;
