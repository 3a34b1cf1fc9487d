import {
  ANONYMOUS,
  type AnyChecker,
  type AvatarId,
  askChecker,
  type Checker,
  type Interface,
  isDerived,
  type Mind,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { canonicalName } from '../canonical-name.ts';
import type { TotpRecord, UserRecord } from '../user-record.ts';
import type { UserStore } from '../user-store.ts';
import { SecondFactor, type TotpOptions } from './second-factor.ts';
import { parseTotp, type Totp } from './totp.ts';

/** The options of {@link withTotp}. */
export interface WithTotpOptions extends TotpOptions {
  /** True refuses a user without a TOTP record. Default: false, the password is enough. */
  readonly required?: boolean;
  /** Returns the time in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * Returns the checker with a second factor: a one-time code at the end of the password, or by a
 * second prompt of LOGIN. The store finds the TOTP record of a user; its
 * `secrets` are not used.
 *
 * As in an `AllOfChecker`, both factors have to belong to one avatar id. Both are computed even if
 * one is wrong, and a refusal does not reveal which. A {@link UserChecker} has the second factor of
 * its users already.
 *
 * @throws TypeError if the checker does not judge `UsernamePassword`.
 *
 * @example
 * ```ts
 * import type { Checker, UsernamePassword } from '@postern/cred';
 * import { type UserStore, withTotp } from '@postern/users';
 *
 * declare const directory: Checker<UsernamePassword>;
 * declare const codes: UserStore;
 *
 * const users = withTotp(directory, codes, { required: true });
 * ```
 */
export function withTotp(
  checker: AnyChecker,
  store: UserStore,
  options: WithTotpOptions = {},
): Checker<UsernamePassword> {
  if (!judgesPasswords(checker)) throw new TypeError('the checker does not judge UsernamePassword');
  return new TotpChecker(checker, store, options);
}

class TotpChecker implements Checker<UsernamePassword> {
  readonly #checker: AnyChecker;
  readonly #store: UserStore;
  readonly #required: boolean;
  readonly #secondFactor: SecondFactor;

  constructor(checker: AnyChecker, store: UserStore, { required = false, now = Date.now, ...totp }: WithTotpOptions) {
    this.#checker = checker;
    this.#store = store;
    this.#required = required;
    this.#secondFactor = new SecondFactor(store, now, totp);
  }

  get credentialInterfaces(): readonly Interface<UsernamePassword>[] {
    return judgesPasswords(this.#checker) ? PASSWORDS : NONE;
  }

  async requestAvatarId(credentials: UsernamePassword, mind: Mind): Promise<AvatarId> {
    const user = await this.#find(credentials.username, mind.signal);
    if (user?.totp == null) return await this.#judgeWithoutCode(credentials, mind);
    const totp = readTotp(user);
    const { password, code } = await this.#secondFactor.part(credentials, totp, mind);
    const isCodeRight = this.#secondFactor.isRight(totp, code);
    let avatarId: AvatarId;
    try {
      avatarId = await askChecker(this.#checker, password, mind);
    } catch (error) {
      // A denial or an outage beside a wrong code would reveal that the code is wrong.
      throw isCodeRight ? error : new UnauthorizedLogin();
    }
    const isRight = await this.#secondFactor.accept(user.name, totp, code, isSameUser(avatarId, user.name));
    if (!isRight) throw new UnauthorizedLogin();
    return avatarId;
  }

  async #judgeWithoutCode(credentials: UsernamePassword, mind: Mind): Promise<AvatarId> {
    let avatarId: AvatarId;
    try {
      avatarId = await askChecker(this.#checker, credentials, mind);
    } catch (error) {
      throw this.#required ? new UnauthorizedLogin() : error;
    }
    if (this.#required) throw new UnauthorizedLogin();
    if (avatarId === ANONYMOUS || isSameUser(avatarId, credentials.username)) return avatarId;
    // The checker knows the user by a second name: it must not lead around the code.
    const user = await this.#find(avatarId, mind.signal);
    if (user?.totp != null) throw new UnauthorizedLogin();
    return avatarId;
  }

  async #find(username: string, signal: AbortSignal): Promise<UserRecord | undefined> {
    const name = canonicalName(username);
    return name === undefined ? undefined : await this.#store.find(name, signal);
  }
}

function judgesPasswords({ credentialInterfaces }: AnyChecker): boolean {
  return credentialInterfaces.some((judged) => isDerived(UsernamePassword, judged));
}

function isSameUser(avatarId: AvatarId, name: string): boolean {
  return avatarId !== ANONYMOUS && canonicalName(avatarId) === canonicalName(name);
}

/** @throws TemporaryFailure if the record is malformed. */
function readTotp({ name, totp }: UserRecord): Totp {
  try {
    return parseTotp(totp as TotpRecord);
  } catch (cause) {
    throw new TemporaryFailure(`user ${JSON.stringify(name)}: ${(cause as Error).message}`, { cause });
  }
}

const PASSWORDS: readonly Interface<UsernamePassword>[] = Object.freeze([UsernamePassword]);
const NONE: readonly Interface<UsernamePassword>[] = Object.freeze([]);
