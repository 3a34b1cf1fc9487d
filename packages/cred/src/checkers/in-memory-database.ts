import { isPromise, type MaybePromise, toPromise } from '@postern/core';
import type { AvatarId, Checker, UserDirectory } from '../checker.ts';
import { UnauthorizedLogin } from '../errors.ts';
import { PasswordProof, UsernamePassword } from '../username-password.ts';

/**
 * Users with clear-text passwords in memory, for tests and examples; the name is Twisted's. It
 * serves all mechanisms that use a password.
 *
 * @example
 * ```ts
 * import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
 *
 * const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
 * users.addUser('ann', 'pa55word');
 * ```
 */
export class InMemoryUsernamePasswordDatabaseDontUse implements Checker<PasswordProof>, UserDirectory {
  readonly credentialInterfaces = [PasswordProof] as const;
  readonly #passwords: Map<string, string>;
  readonly #foldedNames: Set<string>;

  /** `users` are pairs of a name and a password, or an object of them. Default: no users. */
  constructor(users: Readonly<Record<string, string>> | Iterable<readonly [username: string, password: string]> = []) {
    this.#passwords = new Map(isIterable(users) ? users : Object.entries(users));
    this.#foldedNames = new Set(Array.from(this.#passwords.keys(), foldCase));
  }

  /** Adds a user, or changes the password of a user. */
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
      // The same work as for a known user. Live credentials stay unasked: they are for the next
      // checker of a cascade, or for the decoy.
      if (credentials instanceof UsernamePassword) credentials.checkPassword(username);
      throw new UnauthorizedLogin();
    }
    const right = credentials.checkPassword(password);
    if (!isPromise(right)) return avatarIdOf(username, right);
    return toPromise(right).then((isRight) => avatarIdOf(username, isRight));
  }
}

function avatarIdOf(username: string, right: boolean): AvatarId {
  if (!right) throw new UnauthorizedLogin();
  return username;
}

function isIterable(
  users: Readonly<Record<string, string>> | Iterable<readonly [string, string]>,
): users is Iterable<readonly [string, string]> {
  return Symbol.iterator in users;
}

/** Folds ASCII letters only: Unicode folds some different names to one. */
function foldCase(username: string): string {
  return username.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
