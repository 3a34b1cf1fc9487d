import { orAborted } from '@postern/core';
import type { ScramHash, ScramParameters } from '@postern/sasl';
import type { UserDatabase, UserStore } from '../user-store.ts';
import type { SecretReader, StoredSecrets } from './stored-secrets.ts';

/**
 * The iteration counts and salt lengths of the SCRAM secrets of a store, as far as they are known.
 * A challenge shows both, so an unknown user gets one of them: in a user base from Dovecot, all
 * users have 4,096 iterations. A store that lists its users is sampled before the first challenge.
 * Other stores show their secrets by the users that log in.
 */
export class ScramKinds {
  readonly #list: UserDatabase['list'] | undefined;
  readonly #reader: SecretReader;
  readonly #onError: (error: Error) => void;
  readonly #kinds = new Map<ScramHash, readonly ScramParameters[]>();
  #hasClear = false;
  /** Undefined before the first challenge, and true after the sample. */
  #sample: Promise<void> | true | undefined;

  constructor(
    store: UserStore & Partial<Pick<UserDatabase, 'list'>>,
    reader: SecretReader,
    onError: (error: Error) => void,
  ) {
    this.#list = store.list?.bind(store);
    this.#reader = reader;
    this.#onError = onError;
  }

  /** Resolves when the sample of the store is taken, or the signal aborts. */
  async ready(signal: AbortSignal): Promise<void> {
    if (this.#sample === true) return;
    this.#sample ??= this.#takeSample();
    await orAborted(this.#sample, signal);
  }

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

  async #takeSample(): Promise<void> {
    try {
      let rest = SAMPLE_USERS;
      for await (const user of this.#list?.() ?? []) {
        if (user.totp == null) this.learn(this.#reader.peek(user.name, user.secrets));
        rest -= 1;
        if (rest === 0) break;
      }
    } catch (cause) {
      this.#onError(new Error('the user store could not be sampled for the challenges of unknown users', { cause }));
    }
    this.#sample = true;
  }
}

/** The users of a sample: some milliseconds, once. */
const SAMPLE_USERS = 1000;

/** Users have new secrets and secrets of one or two earlier programs. */
const MAX_KINDS = 8;

/** The salt of an unknown user is a part of an HMAC of 64 bytes. */
const MAX_SALT_BYTES = 64;
