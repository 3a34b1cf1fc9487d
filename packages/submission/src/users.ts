import {
  type AnyChecker,
  type AvatarId,
  CascadingChecker,
  type Checker,
  type Credentials,
  checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  type MaybePromise,
  type Mind,
  UsernamePassword,
} from '@postern/cred';

/**
 * The user database of a submission server:
 * - user names with passwords in clear text, for tests;
 * - a function that checks a password;
 * - a checker, or several checkers, which the server asks in order.
 */
export type Users =
  | Readonly<Record<string, string>>
  | ReadonlyMap<string, string>
  | CheckPassword
  | AnyChecker
  | readonly AnyChecker[];

/**
 * Checks the password of a user. Returns true, or the avatar id, which is the user's name in the
 * rest of the server. False or undefined refuses the login (535). If SASLprep (RFC 4013) changes
 * the password, the function is called twice: with the prepared password, then with the password as
 * sent. An error is a temporary failure (454), except for the errors of `@postern/cred`.
 */
export type CheckPassword = (
  username: string,
  password: string,
  mind: Mind,
) => MaybePromise<boolean | AvatarId | undefined>;

/**
 * Returns one checker for the users.
 *
 * @throws TypeError if no user can ever log in.
 */
export function checkerOf(users: Users): Checker<Credentials> {
  // Only the portal calls the checker, with credentials of the checker's interfaces.
  return anyCheckerOf(users) as Checker<Credentials>;
}

function anyCheckerOf(users: Users): AnyChecker {
  if (typeof users === 'function') return checkerOfFunction(users);
  if (isList(users)) {
    if (users.length === 0)
      throw new TypeError(
        'users: the list of checkers is empty, so that no user can log in; expected at least one checker',
      );
    return CascadingChecker.of(...users);
  }
  if (typeof users !== 'object' || users === null) {
    throw new TypeError('users: expected names and their passwords, a function that checks a password, or a checker');
  }
  if (isChecker(users)) return users;
  const passwords = new Map(users instanceof Map ? users : Object.entries(users));
  if (passwords.size === 0)
    throw new TypeError('users: no names, so that no user can log in; expected at least one name and its password');
  for (const [username, password] of passwords) {
    if (typeof password !== 'string' || password === '') {
      throw new TypeError(`users: ${JSON.stringify(username)} has no password; expected a string that is not empty`);
    }
  }
  return new InMemoryUsernamePasswordDatabaseDontUse(passwords);
}

/** Returns the names of the users whose clear-text passwords have fewer than 8 characters. */
export function weakUsers(users: Users): readonly string[] {
  if (typeof users === 'function' || isList(users) || isChecker(users)) return [];
  const passwords = new Map<string, string>(users instanceof Map ? users : Object.entries(users));
  return [...passwords].filter(([, password]) => password.length < MIN_PASSWORD_LENGTH).map(([username]) => username);
}

function checkerOfFunction(checkPassword: CheckPassword): Checker<UsernamePassword> {
  return checker([UsernamePassword], async ({ username, password, preparedPassword }, mind) => {
    let answer = await checkPassword(username, preparedPassword, mind);
    const isRefused = answer === false || answer === undefined;
    // The store may hold a hash of the password as clients send it.
    if (isRefused && password !== preparedPassword) answer = await checkPassword(username, password, mind);
    if (answer === true) return username;
    return answer === false ? undefined : answer;
  });
}

function isList(users: Users): users is readonly AnyChecker[] {
  return Array.isArray(users);
}

function isChecker(users: Exclude<Users, CheckPassword>): users is AnyChecker {
  return 'requestAvatarId' in users && typeof users.requestAvatarId === 'function';
}

/** In UTF-16 units (NIST SP 800-63B §5.1.1.1). */
const MIN_PASSWORD_LENGTH = 8;
