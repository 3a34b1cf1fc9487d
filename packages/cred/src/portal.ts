import { after, type Clock, DenseSet, isPromise, type MaybePromise, systemClock, toPromise } from '@postern/core';
import { ANONYMOUS, type AvatarId, askChecker, type Checker } from './checker.ts';
import { CheckerRoutes } from './checker-routes.ts';
import type { Credentials } from './credentials.ts';
import { asLoginError, isThrottled, LoginDenied, NoAvatar, TemporaryFailure, UnhandledCredentials } from './errors.ts';
import { describeValue, type InstanceOf, type Interface, isInstanceOf, namesOf } from './interface.ts';
import type { Login, LogoutReason } from './login.ts';
import { checkDeadline, LoginAttempt } from './login-attempt.ts';
import type { Mind } from './mind.ts';
import { OpenLogin } from './open-login.ts';
import type { Realm, RealmAvatar } from './realm.ts';

/**
 * Decides whether an authenticated user may act as another identity (RFC 4422 §2, authzid).
 * Returns the avatar id to act as. Throws {@link LoginDenied} otherwise.
 */
export type Authorize = (
  avatarId: AvatarId,
  authzid: string,
  credentials: Credentials,
  mind: Mind,
) => MaybePromise<AvatarId>;

/** The timeout, the authorization policy and the clock of a {@link Portal}. */
export interface PortalOptions {
  /**
   * Decides on authorization identities. The portal calls it only for a client that sends one.
   * Default: {@link onlyAsThemselves}.
   */
  readonly authorize?: Authorize;
  /**
   * The longest time of one login in milliseconds: checker and realm together, and the messages of
   * the client that live credentials wait for. A login that takes longer rejects with
   * {@link TemporaryFailure}. One logout may take as long. Default: 60,000.
   */
  readonly loginTimeout?: number;
  /** Receives the errors of the logouts that failed in `logoutAll`. Default: a process warning. */
  readonly onLogoutErrors?: (errors: AggregateError) => void;
  /** Measures `loginTimeout`. Default: the system's clock. */
  readonly clock?: Clock;
}

/**
 * The entrance between protocols and user databases, after Twisted's `Portal`. It routes
 * credentials to the checker registered for their class, and returns the realm's avatar for the
 * user that the checker recognised.
 *
 * @example
 * ```ts
 * import {
 *   AvatarRealm,
 *   InMemoryUsernamePasswordDatabaseDontUse,
 *   type Mind,
 *   Portal,
 *   UsernamePassword,
 * } from '@postern/cred';
 *
 * class Mailbox {}
 * const realm = new AvatarRealm().provide(Mailbox, () => new Mailbox());
 * const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
 * const portal = new Portal(realm).register(users);
 *
 * declare const mind: Mind;
 * await using login = await portal.login(new UsernamePassword('joe', 's3cret'), mind, Mailbox);
 * const mailbox: Mailbox = login.avatar;
 * ```
 */
export class Portal {
  /**
   * The longest time of one login in milliseconds. A protocol ends the whole exchange after the
   * same time, counted from the client's command. The read timeout of a single line may end it
   * earlier.
   */
  readonly loginTimeout: number;
  readonly #realm: Realm;
  readonly #authorize: Authorize;
  readonly #clock: Clock;
  readonly #onLogoutErrors: (errors: AggregateError) => void;
  readonly #routes = new CheckerRoutes();
  readonly #attempts = new DenseSet<LoginAttempt>();
  readonly #logins = new DenseSet<OpenLogin<unknown>>();
  #draining = false;

  /** @throws RangeError if `loginTimeout` is not a positive number of milliseconds below 2^31. */
  constructor(realm: Realm, options: PortalOptions = {}) {
    const { authorize = onlyAsThemselves, loginTimeout = 60_000, clock = systemClock, onLogoutErrors = warn } = options;
    checkDeadline('loginTimeout', loginTimeout);
    this.#realm = realm;
    this.#authorize = authorize;
    this.loginTimeout = loginTimeout;
    this.#clock = clock;
    this.#onLogoutErrors = onLogoutErrors;
  }

  /**
   * Registers the checker for these classes of credentials. Default: all classes that it names, now
   * and later: the portal follows `credentialInterfaces`. A class that a checker names later stays
   * with the checker that has it already.
   *
   * @throws TypeError if the checker does not judge one of the classes, or if a class already has a
   * checker. Join two checkers for one class in a `CascadingChecker`.
   */
  register<C extends Credentials>(checker: Checker<C>, ...interfaces: readonly Interface<NoInfer<C>>[]): this {
    this.#routes.add(checker, interfaces);
    return this;
  }

  /**
   * The classes of credentials with a checker, in the order of their registration. Returns the same
   * array until a checker judges other classes or another checker is registered.
   */
  get credentialInterfaces(): readonly Interface<Credentials>[] {
    return this.#routes.interfaces;
  }

  /** Returns true if this class of credentials, or a class that it extends, has a checker. */
  handles(credentialInterface: Interface<Credentials>): boolean {
    return this.#routes.checkerFor(credentialInterface.prototype) !== undefined;
  }

  /** Returns false if the realm serves no user with this interface, true if it does or may do. */
  provides(avatarInterface: Interface): boolean {
    return this.#realm.provides?.(avatarInterface) ?? true;
  }

  /** The number of logins whose logout has not ended. */
  get openLogins(): number {
    return this.#logins.members.length;
  }

  /**
   * Logs a client in and returns its login: synchronously if neither the checker nor the realm has
   * to wait, else as a promise. A failure is always a rejected promise. The avatar is an instance
   * of one of the interfaces. If the client disconnects (`mind.signal`), or the login takes longer
   * than `loginTimeout`, the portal logs out an avatar that the realm returns later.
   *
   * @throws UnauthorizedLogin if the credentials are wrong.
   * @throws LoginDenied if the account or the authorization policy refuses this user.
   * @throws UnhandledCredentials if no checker is registered for the class of the credentials.
   * @throws NoAvatar if the realm serves none of the interfaces.
   * @throws TemporaryFailure for any other error, a timeout, a disconnect and a draining portal.
   */
  login<const I extends readonly Interface<object>[]>(
    credentials: Credentials,
    mind: Mind,
    ...interfaces: I
  ): MaybePromise<Login<InstanceOf<I[number]>>> {
    if (this.#draining) return Promise.reject(new TemporaryFailure('the server is shutting down'));
    const attempt = new LoginAttempt(mind, this.#clock, this.loginTimeout, 'the login');
    try {
      const login = attempt.run(() => this.#track(attempt, this.#login(credentials, attempt, interfaces)));
      return isPromise(login) ? login.catch(rejectWithLoginError) : login;
    } catch (error) {
      return rejectWithLoginError(error);
    }
  }

  /**
   * Logs all users out, and resolves when each logout has ended. A logout that fails does not stop
   * the rest; its error goes to `onLogoutErrors`.
   */
  async logoutAll(reason: LogoutReason = 'shutdown'): Promise<void> {
    // A copy, because a synchronous logout removes its login from the set at once.
    const logouts = await Promise.allSettled([...this.#logins.members].map(async (login) => login.logout(reason)));
    const errors = logouts.flatMap((logout) => (logout.status === 'rejected' ? [logout.reason as unknown] : []));
    if (errors.length > 0) this.#onLogoutErrors(new AggregateError(errors, `${errors.length} logouts failed`));
  }

  /**
   * Ends the portal's work for the shutdown of a server: refuses new logins, stops pending logins
   * and logs all users out. Resolves when all have ended or have reached `loginTimeout`.
   */
  async drain(reason: LogoutReason = 'shutdown'): Promise<void> {
    this.#draining = true;
    const attempts = Array.from(this.#attempts.members, (attempt) => {
      attempt.stop(reason, new TemporaryFailure('the server is shutting down'));
      return this.#withinTimeout(attempt.workEnded);
    });
    await Promise.allSettled([...attempts, this.logoutAll(reason)]);
  }

  /** Keeps the attempt in `#attempts`, for `drain`, until its work has ended. */
  #track<T>(attempt: LoginAttempt, work: MaybePromise<T>): MaybePromise<T> {
    if (!isPromise(work)) return work;
    const ended = (): void => this.#attempts.delete(attempt);
    this.#attempts.add(attempt);
    attempt.workEnded = work.then(ended, ended);
    return work;
  }

  /**
   * Returns the login synchronously if neither the checker nor the realm returns a promise. A
   * synchronous login then needs no closure: `after` would take one for each of the three steps.
   */
  #login<I extends readonly Interface<object>[]>(
    credentials: Credentials,
    attempt: LoginAttempt,
    interfaces: I,
  ): MaybePromise<Login<InstanceOf<I[number]>>> {
    const authenticated = this.#identify(credentials, attempt);
    return isPromise(authenticated)
      ? authenticated.then((avatarId) => this.#authorized(avatarId, credentials, attempt, interfaces))
      : this.#authorized(authenticated, credentials, attempt, interfaces);
  }

  #identify(credentials: Credentials, attempt: LoginAttempt): MaybePromise<AvatarId> {
    const checker = this.#routes.checkerFor(credentials);
    if (checker === undefined) throw new UnhandledCredentials(`no checker for ${credentials.constructor.name}`);
    try {
      const authenticated = askChecker(checker, credentials, attempt);
      if (!isPromise(authenticated)) return authenticated;
      return authenticated.catch((error: unknown) => refuse(credentials, attempt, error));
    } catch (error) {
      return refuse(credentials, attempt, error);
    }
  }

  #authorized<I extends readonly Interface<object>[]>(
    authenticated: AvatarId,
    credentials: Credentials,
    attempt: LoginAttempt,
    interfaces: I,
  ): MaybePromise<Login<InstanceOf<I[number]>>> {
    const avatarId = this.#actAs(authenticated, credentials, attempt);
    return isPromise(avatarId)
      ? toPromise(avatarId).then((id) => this.#requestAvatar(id, attempt, interfaces))
      : this.#requestAvatar(avatarId, attempt, interfaces);
  }

  #actAs(authenticated: AvatarId, credentials: Credentials, attempt: LoginAttempt): MaybePromise<AvatarId> {
    const { authzid } = credentials;
    return authzid === undefined ? authenticated : this.#authorize(authenticated, authzid, credentials, attempt);
  }

  #requestAvatar<I extends readonly Interface<object>[]>(
    avatarId: AvatarId | undefined,
    attempt: LoginAttempt,
    interfaces: I,
  ): MaybePromise<Login<InstanceOf<I[number]>>> {
    if (avatarId === undefined || avatarId === '') throw new LoginDenied('not-authorized');
    if (attempt.stopReason !== undefined)
      throw new TemporaryFailure('the login ended before the realm was asked for an avatar');
    const given = this.#realm.requestAvatar<unknown>(avatarId, attempt, interfaces);
    return isPromise(given)
      ? toPromise(given).then((avatar) => this.#open(avatarId, avatar, attempt, interfaces))
      : this.#open(avatarId, given, attempt, interfaces);
  }

  #open<I extends readonly Interface<object>[]>(
    avatarId: AvatarId,
    given: RealmAvatar<unknown>,
    attempt: LoginAttempt,
    interfaces: I,
  ): MaybePromise<Login<InstanceOf<I[number]>>> {
    // A realm in JavaScript may return anything.
    if (typeof given !== 'object' || given === null)
      throw new NoAvatar(`the realm returned ${describeValue(given)}, not { avatar }`);
    const { avatar } = given;
    if (!isInstanceOf(avatar, interfaces)) return this.#rejectAvatar(given, interfaces);
    attempt.finish();
    const login = new OpenLogin(avatarId, avatar, given, attempt, this.#end);
    this.#logins.add(login);
    const { stopReason } = attempt;
    if (stopReason === undefined) return login;
    return after(login.logout(stopReason), () => {
      throw new TemporaryFailure('the login ended before the realm returned an avatar');
    });
  }

  readonly #end = (login: OpenLogin<unknown>, reason: LogoutReason): MaybePromise<void> => {
    let result: MaybePromise<void>;
    try {
      result = login.given.logout?.(reason);
    } catch (error) {
      this.#close(login);
      throw error;
    }
    if (isPromise(result)) return this.#withinTimeout(result).finally(() => this.#close(login));
    this.#close(login);
  };

  #close(login: OpenLogin<unknown>): void {
    login.attempt?.release();
    this.#logins.delete(login);
  }

  async #rejectAvatar(given: RealmAvatar<unknown>, interfaces: readonly Interface[]): Promise<never> {
    let failed: ErrorOptions | undefined;
    try {
      await this.#withinTimeout(Promise.resolve(given.logout?.('reset')));
    } catch (error) {
      failed = { cause: error };
    }
    throw new NoAvatar(
      `the realm returned ${describeValue(given.avatar)}, which is no instance of ${namesOf(interfaces)}; ` +
        'expected an object of a class that extends it',
      failed,
    );
  }

  /** Resolves with the result of a logout, or rejects after `loginTimeout`. */
  async #withinTimeout<T>(work: Promise<T>): Promise<T> {
    const timeout = Promise.withResolvers<never>();
    const onTimeout = (): void =>
      timeout.reject(new TemporaryFailure(`the logout took more than ${this.loginTimeout} ms`));
    using _timer = this.#clock.after(this.loginTimeout, onTimeout, true);
    return await Promise.race([work, timeout.promise]);
  }
}

/**
 * The default policy for authorization identities (RFC 4616 §2, RFC 4422 §2): a user may act only
 * as the avatar id or the user name that the user authenticated as.
 *
 * @throws LoginDenied with the reason `not-authorized` for any other identity.
 */
export const onlyAsThemselves: Authorize = (avatarId, authzid, credentials) => {
  if (avatarId !== ANONYMOUS && (authzid === avatarId || authzid === credentials.username)) return avatarId;
  throw new LoginDenied('not-authorized', 'the user may not act as the requested identity');
};

/** Concludes the exchange of refused credentials, and throws or rejects with the refusal. */
function refuse(credentials: Credentials, attempt: LoginAttempt, error: unknown): Promise<never> {
  if (attempt.stopReason !== undefined || isThrottled(error)) throw error;
  const concluded = credentials.conclude();
  if (!isPromise(concluded)) throw error;
  return toPromise(concluded).then(() => {
    throw error;
  });
}

function rejectWithLoginError(error: unknown): Promise<never> {
  return Promise.reject(asLoginError(error));
}

function warn(errors: AggregateError): void {
  process.emitWarning(errors);
}
