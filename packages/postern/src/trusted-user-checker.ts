import {
  AnonymousChecker,
  type AnyChecker,
  type AvatarId,
  type Checker,
  isUserDirectory,
  type Mind,
  TrustedLogin,
  TrustedLoginChecker,
  UnauthorizedLogin,
} from '@postern/cred';
import { UserStoreChecker } from './user-store-checker.ts';

/**
 * Recognises users that a mail server has logged in before. Denies a user whose account has been
 * closed, and refuses a user that exists no more. A checker that is no user directory cannot tell
 * which users exist: with one, each other user is recognised.
 *
 * XCLIENT uses these credentials too. A portal with this checker lets each peer of XCLIENT name
 * users, so policy delegation has a portal of its own.
 */
export class TrustedUserChecker implements Checker<TrustedLogin> {
  readonly credentialInterfaces = [TrustedLogin] as const;
  readonly #checkers: readonly AnyChecker[];

  /** Takes the checkers of the server's logins. */
  constructor(checkers: readonly AnyChecker[]) {
    this.#checkers = checkers.filter(
      (checker) => !(checker instanceof AnonymousChecker || checker instanceof TrustedLoginChecker),
    );
  }

  async requestAvatarId(credentials: TrustedLogin, mind: Mind): Promise<AvatarId> {
    let knowsAll = true;
    for (const checker of this.#checkers) {
      if (checker instanceof UserStoreChecker) {
        const avatarId = await checker.recognise(credentials, mind);
        if (avatarId !== undefined) return avatarId;
      } else if (!isUserDirectory(checker)) knowsAll = false;
      else if (await checker.hasUser(credentials.username)) return credentials.username;
    }
    if (knowsAll) throw new UnauthorizedLogin('the mail server named a user that does not exist');
    return credentials.username;
  }
}
