import { after, type Clock, DenseSet, type Indexed, isPromise, type MaybePromise, systemClock } from '@postern/core';
import { ANONYMOUS, type AvatarId } from './avatar-id.ts';
import { type AnyChecker, ask, type Checker } from './checker.ts';
import type { Credentials } from './credentials.ts';
import { asLoginError, isThrottled, LoginDenied, NoAvatar, TemporaryFailure, UnhandledCredentials } from './errors.ts';
import { type InstanceOf, type Interface, isDerived } from './interface.ts';
import { Login, type LogoutReason, type OnLogout } from './login.ts';
import { checkDeadline, LoginAttempt } from './login-attempt.ts';
import type { Mind } from './mind.ts';
import type { Realm } from './realm.ts';

/** Decides whether an authenticated user may act as the identity asked for; answers with whom it will be, or throws LoginDenied. */
export type Authorize = (
  avatarId: AvatarId,
  authzid: string,
  credentials: Credentials,
  mind: Mind,
) => MaybePromise<AvatarId>;

/** How long a portal waits, and who may act as whom. */
export interface PortalOptions {
  /** Who may act as whom (RFC 4422 §2). By default everybody as themselves only. */
  readonly authorize?: Authorize;
  /**
   * How long a login may take, in milliseconds, the client's own answers included; then it is a TemporaryFailure. The same for a
   * logout. Default: 60,000.
   */
  readonly loginTimeout?: number;
  /** Hears which logouts failed when everybody is logged out. Default: one warning of the process. */
  readonly onLogoutErrors?: (errors: AggregateError) => void;
  /** What the deadline goes by. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * The door between protocols and user databases: routes credentials to the checker registered for their class, and brings the
 * avatar of whom the checker recognised.
 */
export class Portal {
  readonly #realm: Realm;
  readonly #authorize: Authorize;
  readonly #deadline: number;
  readonly #clock: Clock;
  readonly #onLogoutErrors: (errors: AggregateError) => void;
  readonly #checkers = new Map<Interface, AnyChecker>();
  /** Who has been found for the classes asked about so far. */
  readonly #found = new Map<Interface, AnyChecker | typeof NO_USERNAME>();
  readonly #attempts = new DenseSet<LoginAttempt>();
  readonly #logins = new DenseSet<OpenLogin<unknown>>();
  #draining = false;

  constructor(realm: Realm, options: PortalOptions = {}) {
    const { authorize = onlyAsThemselves, loginTimeout = 60_000, clock = systemClock, onLogoutErrors = warn } = options;
    checkDeadline(loginTimeout);
    this.#realm = realm;
    this.#authorize = authorize;
    this.#deadline = loginTimeout;
    this.#clock = clock;
    this.#onLogoutErrors = onLogoutErrors;
  }

  /** Has the checker judge credentials of these classes, by default of all that it names. One checker a class. */
  register<C extends Credentials>(checker: Checker<C>, ...interfaces: readonly Interface<NoInfer<C>>[]): this {
    const registered = interfaces.length > 0 ? interfaces : checker.credentialInterfaces;
    if (registered.length === 0) throw new TypeError('a checker that judges no credentials');
    for (const credentialInterface of registered) {
      if (!checker.credentialInterfaces.some((theirs) => isDerived(credentialInterface, theirs))) {
        throw new TypeError(`the checker does not judge ${credentialInterface.name}`);
      }
      if (this.#checkers.has(credentialInterface)) {
        throw new TypeError(
          `a checker for ${credentialInterface.name} is registered already: join the two in a CascadingChecker`,
        );
      }
    }
    for (const credentialInterface of registered) this.#checkers.set(credentialInterface, checker);
    this.#found.clear();
    return this;
  }

  /** The classes of credentials that can be judged here, in the order of their registration. */
  get credentialInterfaces(): readonly Interface<Credentials>[] {
    return [...this.#checkers.keys()] as Interface<Credentials>[];
  }

  /** True if a checker is registered for this class of credentials, or for one that it derives from. */
  handles(credentialInterface: Interface<Credentials>): boolean {
    return this.#checkerOf(credentialInterface.prototype) !== undefined;
  }

  /** False if the realm has no avatar of this interface for anybody; true as well where the realm does not know. */
  provides(avatarInterface: Interface): boolean {
    return this.#realm.provides?.(avatarInterface) ?? true;
  }

  /** How many are logged in, or on their way out. */
  get openLogins(): number {
    return this.#logins.members.length;
  }

  /**
   * Logs a client in and resolves to its avatar, which is of one of the interfaces asked for. Rejects with a LoginError and
   * nothing else. A client that leaves meanwhile (the mind's signal) is logged out, however late the realm answers.
   */
  async login<const I extends readonly Interface<object>[]>(
    credentials: Credentials,
    mind: Mind,
    ...interfaces: I
  ): Promise<Login<InstanceOf<I[number]>>> {
    if (this.#draining) throw new TemporaryFailure('nobody is let in any more');
    const attempt = new LoginAttempt(mind, this.#clock, this.#deadline, 'the login took too long');
    try {
      const login = attempt.run(() => this.#watch(attempt, this.#login(credentials, attempt, interfaces)));
      return isPromise(login) ? await login : login;
    } catch (error) {
      throw asLoginError(error);
    }
  }

  /** Logs everybody out, and resolves when all have gone; nobody's failure to leave keeps another. */
  async logoutAll(reason: LogoutReason = 'shutdown'): Promise<void> {
    // A copy: who can leave at once is off the roll before the next one's turn.
    const logouts = await Promise.allSettled([...this.#logins.members].map((login) => login.logout(reason)));
    const errors = logouts.flatMap((logout) => (logout.status === 'rejected' ? [logout.reason as unknown] : []));
    if (errors.length > 0) this.#onLogoutErrors(new AggregateError(errors, `${errors.length} logouts failed`));
  }

  /**
   * For the end of a server: lets nobody in any more, breaks off logins under way, logs everybody out, and resolves when all have
   * gone, or have taken longer than the deadline.
   */
  async drain(reason: LogoutReason = 'shutdown'): Promise<void> {
    this.#draining = true;
    const attempts = Array.from(this.#attempts.members, (attempt) => {
      attempt.stop(reason, new TemporaryFailure('the server is going down'));
      return this.#within(attempt.ended);
    });
    await Promise.allSettled([...attempts, this.logoutAll(reason)]);
  }

  /** Keeps the attempt as long as there is work for it. */
  #watch<T>(attempt: LoginAttempt, work: MaybePromise<T>): MaybePromise<T> {
    if (!isPromise(work)) return work;
    const ended = (): void => this.#attempts.delete(attempt);
    this.#attempts.add(attempt);
    attempt.ended = work.then(ended, ended);
    return work;
  }

  /** Comes to the login at once, if neither checker nor realm has to be waited for. */
  #login<I extends readonly Interface<object>[]>(
    credentials: Credentials,
    attempt: LoginAttempt,
    interfaces: I,
  ): MaybePromise<Login<InstanceOf<I[number]>>> {
    return after(this.#identify(credentials, attempt), (authenticated) =>
      after(this.#actAs(authenticated, credentials, attempt), (avatarId) => {
        if (avatarId === undefined || avatarId === '') throw new LoginDenied('not-authorized');
        if (attempt.over !== undefined) throw new TemporaryFailure('the login ended before its avatar was asked for');
        return after<Login<unknown>, Login<InstanceOf<I[number]>>>(
          this.#realm.requestAvatar(avatarId, attempt, interfaces),
          (given) => this.#enter(avatarId, given, attempt, interfaces),
        );
      }),
    );
  }

  #identify(credentials: Credentials, attempt: LoginAttempt): MaybePromise<AvatarId> {
    const checker = this.#checkerOf(credentials);
    if (checker === undefined) throw new UnhandledCredentials(`no checker for ${credentials.constructor.name}`);
    const refuse = async (error: unknown): Promise<never> => {
      if (attempt.over === undefined && !isThrottled(error)) await credentials.conclude();
      throw error;
    };
    try {
      const authenticated = ask(checker, credentials, attempt);
      return isPromise(authenticated) ? authenticated.catch(refuse) : authenticated;
    } catch (error) {
      return refuse(error);
    }
  }

  #actAs(authenticated: AvatarId, credentials: Credentials, attempt: LoginAttempt): MaybePromise<AvatarId> {
    const { authzid } = credentials;
    return authzid === undefined ? authenticated : this.#authorize(authenticated, authzid, credentials, attempt);
  }

  #enter<I extends readonly Interface<object>[]>(
    avatarId: AvatarId,
    given: Login<unknown>,
    attempt: LoginAttempt,
    interfaces: I,
  ): MaybePromise<Login<InstanceOf<I[number]>>> {
    if (!(given instanceof Login)) throw new NoAvatar('the realm returned no login');
    const { avatar } = given;
    if (!isOneOf(avatar, interfaces)) return this.#turnOut(given, interfaces);
    attempt.settle();
    const login = new OpenLogin(avatarId, avatar, this.#letOut, given, attempt);
    this.#logins.add(login);
    const { over } = attempt;
    if (over === undefined) return login;
    return login.logout(over).then(() => {
      throw new TemporaryFailure('the login ended before its avatar came');
    });
  }

  readonly #letOut = (reason: LogoutReason, login: Login<unknown>): MaybePromise<void> => {
    if (!(login instanceof OpenLogin)) return;
    const left = (): void => {
      login.attempt?.end();
      this.#logins.delete(login);
    };
    const leaving = login.given.logoutNow(reason);
    return leaving === undefined ? left() : this.#within(leaving).finally(left);
  };

  async #turnOut(given: Login<unknown>, interfaces: readonly Interface[]): Promise<never> {
    const failed = await this.#within(given.logout('reset')).then(
      () => undefined,
      (error: unknown) => ({ cause: error }),
    );
    const wanted = namesOf(interfaces);
    throw new NoAvatar(
      `the realm returned ${kindOf(given.avatar)}, which is no instance of ${wanted}; expected an object of a class that extends it`,
      failed,
    );
  }

  /** The most derived class wins, whatever the order of registration. */
  #checkerOf(credentials: object): AnyChecker | undefined {
    const credentialInterface = credentials.constructor as Interface;
    const known = this.#found.get(credentialInterface);
    if (known !== undefined) return known === NO_USERNAME ? undefined : known;
    let checker: AnyChecker | undefined;
    for (let prototype = credentials; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
      checker = this.#checkers.get(prototype.constructor as Interface);
      if (checker !== undefined) break;
    }
    this.#found.set(credentialInterface, checker ?? NO_USERNAME);
    return checker;
  }

  async #within<T>(work: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const giveUp = (): void => late.reject(new TemporaryFailure('the logout took too long'));
    using _timer = this.#clock.after(this.#deadline, giveUp, true);
    return await Promise.race([work, late.promise]);
  }
}

/** A login that the portal knows of. */
class OpenLogin<A> extends Login<A> implements Indexed {
  index = -1;
  /** The realm's. */
  readonly given: Login<unknown>;
  /** Whose signal somebody has asked for. */
  readonly attempt: LoginAttempt | undefined;

  constructor(avatarId: AvatarId, avatar: A, onLogout: OnLogout, given: Login<unknown>, attempt: LoginAttempt) {
    super(avatarId, avatar, onLogout);
    this.given = given;
    this.attempt = attempt.hasSignal ? attempt : undefined;
  }
}

/** The default policy (RFC 4616 §2, RFC 4422 §2): an authorization identity must be the authentication identity itself. */
export const onlyAsThemselves: Authorize = (avatarId, authzid, credentials) => {
  if (avatarId !== ANONYMOUS && (authzid === avatarId || authzid === credentials.username)) return avatarId;
  throw new LoginDenied('not-authorized', 'this user may not act as the identity asked for');
};

function warn(errors: AggregateError): void {
  process.emitWarning(errors);
}

function isOneOf<I extends readonly Interface<object>[]>(
  avatar: unknown,
  interfaces: I,
): avatar is InstanceOf<I[number]> {
  return interfaces.some((wanted) => avatar instanceof wanted);
}

/** Says what an avatar is that is none: an object literal looks right, and lacks the class. */
function kindOf(avatar: unknown): string {
  if (typeof avatar === 'function') return `the class or function ${avatar.name}`;
  if (typeof avatar !== 'object' || avatar === null) return String(avatar);
  const made: unknown = Object.getPrototypeOf(avatar)?.constructor;
  if (made === Object || made === undefined) return 'an object literal';
  return typeof made === 'function' ? `an object of class ${made.name}` : 'an object';
}

function namesOf(interfaces: readonly Interface[]): string {
  return interfaces.map((wanted) => wanted.name).join(', ');
}

const NO_USERNAME = Symbol('nobody');
