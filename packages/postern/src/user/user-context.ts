import type { Crypt, Secret, UserDatabase } from '@postern/users';
import type { Terminal } from '../terminal.ts';
import type { USER_COMMANDS, UserCommandName } from './user-commands.ts';

/** The parts that the commands of `postern user` work with. */
export interface UserContext {
  /**
   * Opens the database, once. A command checks its arguments before: a mistake creates no database.
   *
   * @throws CommandError or StartError if the database does not exist, or cannot be opened.
   */
  readonly open: () => Promise<UserDatabase>;
  /** Opens the database as `open` does, also a file of users, which no command edits. */
  readonly openToRead: () => Promise<ReadableUsers>;
  /** The database as the operator named it, without secrets: `sqlite:postern.db`. */
  readonly databaseName: string;
  /** True if the standard error is a terminal, which shows progress. */
  readonly showsProgress: boolean;
  readonly terminal: Terminal;
  /** Writes text to the standard output. */
  readonly print: (text: string) => Promise<void>;
  /** Writes text to the standard error. */
  readonly warn: (text: string) => Promise<void>;
  /** Resolves to the forms of a password to store. */
  readonly hashPassword: (password: string) => Promise<readonly string[]>;
  /** True if the server accepts weak hashes: `users.allowWeak` of the config file. */
  readonly allowsWeak: boolean;
  /** The hashes that only libcrypt computes. Undefined if `@postern/crypt` is not installed. */
  readonly crypt: Crypt | undefined;
  /**
   * Parses a stored secret, also one of a weak scheme.
   *
   * @throws SecretError
   */
  readonly parseSecret: (text: string) => Secret;
}

/** The users of a database that the command only reads. */
export type ReadableUsers = Pick<UserDatabase, 'find' | 'list'>;

/** The parsed arguments of a command of `postern user`. */
export interface UserArguments<K extends UserCommandName> {
  /** The arguments that are no options, as many as the command takes. */
  readonly names: readonly string[];
  readonly options: OptionValues<(typeof USER_COMMANDS)[K]['options']>;
}

/** Runs a command of `postern user`. Resolves to the exit code. */
export type UserCommand<K extends UserCommandName> = (args: UserArguments<K>, context: UserContext) => Promise<number>;

type OptionValues<T> = {
  readonly [O in keyof T]: (T[O] extends { readonly type: 'boolean' } ? boolean : string) | undefined;
};
