import type { MaybePromise } from '@postern/core';
import type { AvatarId } from '../avatar-id.ts';
import type { Checker } from '../checker.ts';
import { PasswordProof, UsernamePassword } from '../credentials.ts';
import { UnauthorizedLogin } from '../errors.ts';
import type { UserDirectory } from '../user-directory.ts';

/**
 * Users and their passwords, in clear text and in memory: for tests and examples, as its name, which is Twisted's, says.
 * It serves every mechanism that rests on a password.
 */
export class InMemoryUsernamePasswordDatabaseDontUse implements Checker<PasswordProof>, UserDirectory {
  readonly credentialInterfaces = [PasswordProof] as const;
  readonly #passwords: Map<string, string>;
  readonly #foldedNames: Set<string>;

  /** Users as pairs of name and password, or as an object of them. */
  constructor(users: Readonly<Record<string, string>> | Iterable<readonly [username: string, password: string]> = []) {
    this.#passwords = new Map(
      Symbol.iterator in users ? (users as Iterable<readonly [string, string]>) : Object.entries(users),
    );
    this.#foldedNames = new Set(Array.from(this.#passwords.keys(), foldCase));
  }

  /** Adds a user, or changes a user's password. */
  addUser(username: string, password: string): this {
    this.#passwords.set(username, password);
    this.#foldedNames.add(foldCase(username));
    return this;
  }

  hasUser(username: string): boolean {
    return this.#foldedNames.has(foldCase(username));
  }

  requestAvatarId(credentials: PasswordProof): MaybePromise<AvatarId> {
    const { username } = credentials;
    const password = this.#passwords.get(username);
    if (password === undefined) {
      // As much work as for a user who exists. Live credentials are left alone: they are for the next checker, or the decoy.
      if (credentials instanceof UsernamePassword) credentials.checkPassword(username);
      throw new UnauthorizedLogin();
    }
    const right = credentials.checkPassword(password);
    if (typeof right === 'boolean') return verdict(username, right);
    return right.then((really) => verdict(username, really));
  }
}

/** Only ASCII letters: no two names that Unicode folds to one are the same. */
function foldCase(username: string): string {
  return username.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

function verdict(username: string, right: boolean): AvatarId {
  if (!right) throw new UnauthorizedLogin();
  return username;
}
