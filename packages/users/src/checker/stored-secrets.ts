import type { ScramSecret } from '@postern/sasl';
import { SecretError } from '../errors.ts';
import { parseSecret } from '../secrets/parse-secret.ts';
import type { CramMd5Key, DigestMd5Key, PasswordHash, Secret } from '../secrets/secret.ts';
import type { SecretOptions } from '../secrets/secret-options.ts';

/** The secrets of one user that can be used, by kind. All are forms of one password. */
export interface StoredSecrets {
  /** The user's stored name, of which keys of DIGEST-MD5 are made. */
  readonly username: string;
  readonly hashes: readonly PasswordHash[];
  readonly scram: readonly ScramSecret[];
  readonly clear: string | undefined;
  readonly cramMd5: CramMd5Key | undefined;
  readonly digestMd5: readonly DigestMd5Key[];
  /** The error of the first secret that cannot be used. */
  readonly error: SecretError | undefined;
}

/** Returns true if a password that a client sends as it is can be compared with these secrets. */
export function canVerify({ hashes, scram, clear, cramMd5, digestMd5 }: StoredSecrets): boolean {
  if (hashes.length > 0 || scram.length > 0) return true;
  return clear !== undefined || cramMd5 !== undefined || digestMd5.length > 0;
}

/** Parses the stored secrets of users, and reports each user with a secret that cannot be used. */
export class SecretReader {
  readonly #options: SecretOptions;
  readonly #onError: (error: Error) => void;
  readonly #reported = new Set<string>();

  constructor(options: SecretOptions, onError: (error: Error) => void) {
    this.#options = options;
    this.#onError = onError;
  }

  /** Never throws for a secret that cannot be used: the user's other secrets still count. */
  read(username: string, texts: readonly string[]): StoredSecrets {
    return this.#parse(username, texts, (thrown) => this.report(username, thrown));
  }

  /** Parses the secrets of a user that does not log in, and reports nothing. */
  peek(username: string, texts: readonly string[]): StoredSecrets {
    return this.#parse(username, texts, asSecretError);
  }

  #parse(username: string, texts: readonly string[], onError: (thrown: unknown) => SecretError): StoredSecrets {
    const secrets: Secret[] = [];
    let error: SecretError | undefined;
    for (const text of texts) {
      try {
        secrets.push(parseSecret(text, this.#options));
      } catch (thrown) {
        error ??= onError(thrown);
      }
    }
    return {
      username,
      hashes: secrets.filter((secret) => secret.kind === 'hash'),
      scram: secrets.filter((secret) => secret.kind === 'scram').map(({ secret }) => secret),
      clear: secrets.find((secret) => secret.kind === 'clear')?.password,
      cramMd5: secrets.find((secret) => secret.kind === 'cram-md5'),
      digestMd5: secrets.filter((secret) => secret.kind === 'digest-md5'),
      error,
    };
  }

  /**
   * Reports an error of a stored secret, once for each user and kind of error: a client that tries
   * again and again must not fill the log. Returns the error with the name of the user.
   *
   * @throws the error itself if it is of another class.
   */
  report(username: string, thrown: unknown): SecretError {
    const { code, message } = asSecretError(thrown);
    const error = new SecretError(code, `user ${JSON.stringify(username)}: ${message}`, { cause: thrown });
    const key = `${code} ${username}`;
    if (this.#reported.has(key)) return error;
    if (this.#reported.size >= MAX_REPORTED) this.#reported.clear();
    this.#reported.add(key);
    this.#onError(error);
    return error;
  }
}

function asSecretError(thrown: unknown): SecretError {
  if (thrown instanceof SecretError) return thrown;
  throw thrown;
}

const MAX_REPORTED = 10_000;
