import { type Clock, systemClock } from '@postern/core';
import type { Interface, MaybePromise, PasswordProof } from '@postern/cred';
import { canonicalName } from '../canonical-name.ts';
import { CommonInterfaces } from '../credential-forms.ts';
import type { SecretOptions } from '../secrets/secret-options.ts';
import type { UserRecord } from '../user-record.ts';
import type { UserStore } from '../user-store.ts';
import { warn } from '../warn.ts';
import { detectUserFileFormat } from './detect-user-file-format.ts';
import { describeProblem, UserFileError } from './errors.ts';
import { fileVersion, readSnapshot } from './file-snapshot.ts';
import { PeriodicCheck } from './periodic-check.ts';
import type { UserFileFormat, UserFileProblem } from './user-file.ts';
import { UserTable } from './user-table.ts';

/** The optional parameters of {@link FileUserStore.open}. */
export interface FileUserStoreOptions extends SecretOptions {
  /** Default: the format that the file's lines show, by {@link detectUserFileFormat}. */
  readonly format?: UserFileFormat;
  /** The scheme of a password without `{SCHEME}` in a passwd-file. Default: `CRYPT`. */
  readonly defaultScheme?: string;
  /** The largest file in octets. Default: 134,217,728, which is about a million users. */
  readonly maxOctets?: number;
  /**
   * Is called once for each version of the file that cannot be used, or in which users cannot log
   * in. Default: `process.emitWarning`.
   */
  readonly onError?: (error: UserFileError) => void;
  /** Default: the clock of the system. */
  readonly clock?: Clock;
  /** Returns the time in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * The users of an htpasswd file, a Dovecot passwd-file or a shadow file. The store is read-only.
 *
 * A look-up first checks whether the file has changed, at most once a second, and then reads the
 * whole file again. This finds a renamed file, a file edited in place, and a changed symbolic link,
 * also on network file systems. The store takes a new version whole or not at all: while a file is
 * missing, half written or bad, the users of the last good version stay.
 *
 * These faults make a version bad: two users of one name, octets that are no UTF-8, no line end at
 * the end, and no line at all. Other faults concern one user, whose login is a temporary failure: a
 * secret that cannot be compared, or a line that means more than a user record can express.
 *
 * @example
 * ```ts
 * import { FileUserStore } from '@postern/users';
 *
 * const users = await FileUserStore.open('/etc/apache2/users.htpasswd', {
 *   format: 'htpasswd',
 *   onError: (error) => console.error(error.message),
 * });
 * process.on('SIGHUP', () => {
 *   users.reload().catch((error: unknown) => console.error(error));
 * });
 * ```
 */
export class FileUserStore implements UserStore {
  readonly #path: string;
  readonly #options: FileUserStoreOptions;
  readonly #now: () => number;
  readonly #common = new CommonInterfaces();
  readonly #check: PeriodicCheck;
  #table: UserTable | undefined;
  /** The digest of the users in use. */
  #digest: string | undefined;
  /** The version of the file that was last read, good or bad. */
  #version: string | undefined;
  /** The message of the last error, which is reported once while it lasts. */
  #reported: string | undefined;
  /** The message about the users in use that cannot log in. */
  #unusableUsers: string | undefined;
  /** The last read. The next one waits for it, so that the last read wins. */
  #read: Promise<void> = Promise.resolve();

  private constructor(path: string, options: FileUserStoreOptions) {
    this.#path = path;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    const onLate = (): void => this.#report(this.#bad(LATE));
    this.#check = new PeriodicCheck(() => this.#refresh(), onLate, options.clock ?? systemClock);
  }

  /**
   * Reads the file.
   *
   * @throws UserFileError if the file cannot be used. The message names the file and the line.
   */
  static async open(path: string, options: FileUserStoreOptions = {}): Promise<FileUserStore> {
    const store = new FileUserStore(path, options);
    await store.reload();
    return store;
  }

  /** The number of users. */
  get size(): number {
    return this.#table?.size ?? 0;
  }

  get credentialInterfaces(): readonly Interface<PasswordProof>[] {
    return this.#table?.credentialInterfaces(this.#common) ?? this.#common.of([]);
  }

  /**
   * Returns the user of this name, or undefined for an unknown name. Waits at most a second for a
   * check of the file; after that, the users of the last version count.
   *
   * @throws UserFileError for a user whose line cannot be expressed as a user record.
   */
  find(name: string, signal: AbortSignal): MaybePromise<UserRecord | undefined> {
    return this.#check.isDone ? this.#find(name) : this.#check.wait(signal).then(() => this.#find(name));
  }

  /** Returns the users of the last version, in the order of the file. */
  async *list(): AsyncGenerator<UserRecord, void> {
    for (const name of this.#table?.names() ?? []) {
      const user = this.#find(name);
      if (user !== undefined) yield user;
    }
  }

  /**
   * Reads the file again, also if it seems unchanged. If it rejects, the users of the last good
   * version stay.
   *
   * @throws UserFileError if the file cannot be used. `onError` does not receive this error.
   */
  reload(): Promise<void> {
    const read = this.#read.then(() => this.#load());
    this.#read = read.catch(() => {});
    return read;
  }

  #find(name: string): UserRecord | undefined {
    const canonical = canonicalName(name);
    const entry = canonical === undefined ? undefined : this.#table?.get(canonical);
    if (entry?.kind === 'problem') {
      throw new UserFileError('unusable-users', this.#path, describeProblem(entry), [entry]);
    }
    if (entry?.passwordExpires === undefined || entry.passwordExpires > this.#now()) return entry?.user;
    return { ...entry.user, mustChangePassword: true };
  }

  /** Reads the file if it has changed. Reports errors. Never rejects. */
  async #refresh(): Promise<void> {
    try {
      if (this.#version !== undefined && (await this.#readVersion()) === this.#version) return;
      await this.reload();
    } catch (error) {
      this.#report(error instanceof UserFileError ? error : this.#cannotRead(error));
    }
  }

  /** Forgets the last version on failure: the next good one ends the fault. */
  async #readVersion(): Promise<string> {
    try {
      return await fileVersion(this.#path);
    } catch (error) {
      this.#version = undefined;
      throw error;
    }
  }

  async #load(): Promise<void> {
    const { maxOctets = MAX_OCTETS } = this.#options;
    const { content, digest, version } = await readSnapshot(this.#path, maxOctets, this.#now).catch(
      (error: unknown) => {
        this.#version = undefined;
        throw this.#cannotRead(error);
      },
    );
    this.#version = version;
    if (digest === this.#digest) {
      this.#reported = this.#unusableUsers;
      return;
    }
    const table = await this.#parse(content);
    this.#table = table;
    this.#digest = digest;
    const unusable = table.problems.length > 0 ? this.#unusable(table) : undefined;
    this.#unusableUsers = unusable?.message;
    if (unusable === undefined) this.#reported = undefined;
    else this.#report(unusable);
  }

  async #parse(content: Buffer): Promise<UserTable> {
    // A program that rewrites the file in place empties it first.
    if (content.length === 0 && this.#table !== undefined) {
      throw this.#bad(' is empty; expected users, or a line with a comment');
    }
    const { format = this.#detect(content), ...options } = this.#options;
    const table = await UserTable.of(content, { ...options, format });
    const { problems } = table;
    const isForeign = table.size === 0 && problems.every(({ name }) => name === undefined);
    const fault = problems.find(({ effect }) => effect === 'file' || isForeign);
    if (fault === undefined) return table;
    throw this.#bad(describeProblem(fault), problems);
  }

  #detect(content: Buffer): UserFileFormat {
    const text = content.toString('latin1', 0, DETECTION_OCTETS);
    const format = detectUserFileFormat(text);
    if (format !== undefined) return format;
    // A file of comments has no format and no users.
    if (!/^[^#\n].*:/m.test(text)) return 'htpasswd';
    throw this.#bad(' mixes formats; expected htpasswd, passwd-file or shadow, or the option format');
  }

  #bad(message: string, problems: readonly UserFileProblem[] = []): UserFileError {
    return new UserFileError('bad-user-file', this.#path, message, problems);
  }

  #cannotRead(cause: unknown): UserFileError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = isSystemError(cause) ? `: the user file cannot be read: ${cause.code}` : ` ${reason}`;
    return new UserFileError('bad-user-file', this.#path, message, [], { cause });
  }

  #unusable({ problems }: UserTable): UserFileError {
    const [first] = problems;
    const more = problems.length > 1 ? `, and ${problems.length - 1} more such lines` : '';
    const message = `${first === undefined ? '' : describeProblem(first)}${more}; such users cannot log in`;
    return new UserFileError('unusable-users', this.#path, message, problems);
  }

  #report(error: UserFileError): void {
    if (error.message === this.#reported) return;
    this.#reported = error.message;
    const { onError = warn } = this.#options;
    try {
      onError(error);
    } catch {
      // The listener is broken. The look-up must not fail for that.
    }
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}

const LATE = ': the user file cannot be read within a second; the users of the last version stay until then';
const MAX_OCTETS = 128 * 2 ** 20;
/** Enough for the users that `detectUserFileFormat` counts. */
const DETECTION_OCTETS = 262_144;
