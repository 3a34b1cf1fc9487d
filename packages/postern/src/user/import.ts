import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { printable } from '@postern/esmtp';
import {
  detectUserFileFormat,
  readUserFile,
  type UserDatabase,
  type UserFileFormat,
  type UserFileItem,
  type UserFileOptions,
  type UserFileProblem,
  type UserRecord,
} from '@postern/users';
import { CommandError, messageOf, UsageError } from '../errors.ts';
import { suggestion } from '../suggest.ts';
import { USER_FILE_FORMATS } from '../user-store-spec.ts';
import { findTimeout } from './find-user.ts';
import type { UserArguments, UserContext } from './user-context.ts';

/**
 * Adds the users of a file, with the hashes that they have. Reports each line that cannot be taken,
 * and leaves existing users as they are. Resolves to 0 if all users were taken, and to 1 otherwise.
 */
export async function importUsers(
  { names: [file = ''], options }: UserArguments<'import'>,
  context: UserContext,
): Promise<number> {
  const dryRun = options['dry-run'] === true;
  const format = options.format === undefined ? await formatOf(file) : parseFormat(options.format);
  const database = await context.open();
  const report = new ImportReport(file, context);
  const secretOptions = { crypt: context.crypt, allowWeak: options['allow-weak'] ?? context.allowsWeak };
  const users = report.taken(itemsOf(file, { format, ...secretOptions }));
  const existing = dryRun
    ? await existingOf(users, database)
    : await database.addAll(users, (stored) => report.progress(stored));
  return await report.finish(existing, dryRun);
}

/** Collects the outcome of an import, and prints the lines that are not taken as they are read. */
class ImportReport {
  readonly #file: string;
  readonly #context: UserContext;
  /** The names of users without a SCRAM secret. */
  readonly #withoutScram = new Set<string>();
  #read = 0;
  #refused = 0;
  #weak = 0;
  #aging = 0;
  #hasProgress = false;

  constructor(file: string, context: UserContext) {
    this.#file = file;
    this.#context = context;
  }

  /** Yields the users that a login can succeed for, and reports the others. */
  async *taken(items: AsyncIterable<UserFileItem>): AsyncGenerator<UserRecord> {
    // The problem of a user's secret comes right after the user.
    let user: (UserFileItem & { kind: 'user' }) | undefined;
    for await (const item of items) {
      if (item.kind === 'user') {
        if (user !== undefined) yield this.#take(user);
        user = item;
        continue;
      }
      if (item.effect === 'unusable' && user?.line === item.line) user = undefined;
      await this.#report(item);
    }
    if (user !== undefined) yield this.#take(user);
  }

  /** Shows the number of stored users, if the standard error is a terminal. */
  progress(stored: number): void {
    if (!this.#context.showsProgress) return;
    this.#hasProgress = true;
    void this.#context.warn(`\r${stored} users`);
  }

  /** Prints the summary. Resolves to the exit code. */
  async finish(existing: readonly string[], dryRun: boolean): Promise<number> {
    const { databaseName, print } = this.#context;
    for (const name of existing) {
      this.#withoutScram.delete(name);
      await this.#warn(`${this.#file}: ${printable(name)}: is in ${databaseName} already, and stays as it is`);
    }
    const taken = this.#read - existing.length;
    const parts = [
      `${dryRun ? 'would add' : 'added'} ${users(taken)} to ${databaseName}`,
      ...(existing.length > 0 ? [`${existing.length} existed already`] : []),
      ...(this.#refused > 0 ? [`${this.#refused} not taken`] : []),
    ];
    await this.#clearProgress();
    await print(`${parts.join(', ')}\n`);
    const without = this.#withoutScram.size;
    if (without > 0) {
      const hint =
        without === 1
          ? '1 user has no SCRAM secret yet: the user gets'
          : `${without} users have no SCRAM secret yet: they get`;
      await print(`${hint} one at the first login with PLAIN or LOGIN\n`);
    }
    if (this.#weak > 0) await print(`${users(this.#weak)} not taken ${ALLOW_WEAK}\n`);
    if (this.#aging > 0) await print(`${users(this.#aging)} had a maximum age of the password, which is not kept\n`);
    return existing.length + this.#refused > 0 ? 1 : 0;
  }

  #take({ user, passwordExpires }: UserFileItem & { kind: 'user' }): UserRecord {
    this.#read++;
    if (passwordExpires !== undefined) this.#aging++;
    const isScram = (secret: string) => {
      const { kind } = this.#context.parseSecret(secret);
      return kind === 'scram' || kind === 'clear';
    };
    if (user.secrets.length > 0 && !user.secrets.some(isScram)) this.#withoutScram.add(user.name);
    return user;
  }

  async #report({ line, name, reason, effect, code }: UserFileProblem): Promise<void> {
    if (effect !== 'note') this.#refused++;
    if (code === 'weak-scheme') this.#weak++;
    const subject = name === undefined ? '' : `${printable(name)}: `;
    const outcome = effect === 'note' ? '' : 'not taken: ';
    await this.#warn(`${this.#file}:${line}: ${subject}${outcome}${printable(reason)}`);
  }

  async #warn(text: string): Promise<void> {
    await this.#clearProgress();
    await this.#context.warn(`${text}\n`);
  }

  async #clearProgress(): Promise<void> {
    if (this.#hasProgress) await this.#context.warn('\r\u001b[K');
    this.#hasProgress = false;
  }
}

async function* itemsOf(file: string, options: UserFileOptions): AsyncGenerator<UserFileItem> {
  try {
    yield* readUserFile(createReadStream(file), options);
  } catch (error) {
    throw isSystemError(error) ? unreadable(file, error) : error;
  }
}

/** Resolves to the names of the users that the database has already. */
async function existingOf(users: AsyncIterable<UserRecord>, database: UserDatabase): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of users) {
    if ((await database.find(name, findTimeout())) !== undefined) names.push(name);
  }
  return names;
}

async function formatOf(file: string): Promise<UserFileFormat> {
  const format = detectUserFileFormat(await beginningOf(file));
  if (format !== undefined) return format;
  throw new CommandError(`${file}: the format is not clear: expected --format ${USER_FILE_FORMATS.join(' or ')}`);
}

async function beginningOf(file: string): Promise<string> {
  try {
    await using handle = await open(file);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(DETECTED_OCTETS), 0, DETECTED_OCTETS, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } catch (error) {
    throw unreadable(file, error);
  }
}

function parseFormat(word: string): UserFileFormat {
  const format = USER_FILE_FORMATS.find((known) => known === word);
  if (format === undefined) {
    throw new UsageError(`--format: expected ${USER_FILE_FORMATS.join(' or ')}${suggestion(word, USER_FILE_FORMATS)}`);
  }
  return format;
}

function unreadable(file: string, cause: unknown): CommandError {
  return new CommandError(`cannot read ${file}: ${messageOf(cause)}`, { cause });
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

function users(count: number): string {
  return count === 1 ? '1 user' : `${count} users`;
}

const ALLOW_WEAK =
  'for weak schemes: --allow-weak, or users: { allowWeak: true } in the config file, takes them, and the server needs the latter';
const DETECTED_OCTETS = 64 * 1024;
