import { ANONYMOUS, type AvatarId } from './avatar-id.ts';
import type { AnyChecker, Checker } from './checker.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Credentials } from './credentials.ts';
import { asLoginError, LoginDenied, NoAvatar, TemporaryFailure, UnhandledCredentials } from './errors.ts';
import type { InstanceOf, Interface, MaybePromise } from './interface.ts';
import { Login, type LogoutReason } from './login.ts';
import type { Mind } from './mind.ts';
import type { Realm } from './realm.ts';

/** Decides whether an authenticated user may act as the identity asked for; answers with whom it will be, or throws LoginDenied. */
export type Authorize = (avatarId: AvatarId, authzid: string, credentials: Credentials, mind: Mind) => MaybePromise<AvatarId>;

export interface PortalOptions {
  /** Who may act as whom (RFC 4422 §2). By default everybody as themselves only. */
  readonly authorize?: Authorize;
  /** How long a login may take, in milliseconds, the client's own answers included; then it is a TemporaryFailure. Default: 60,000. */
  readonly deadline?: number;
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
  readonly #checkers = new Map<Interface, AnyChecker>();
  readonly #logins = new Set<Login<unknown>>();

  constructor(realm: Realm, { authorize = onlyAsThemselves, deadline = 60_000, clock = systemClock }: PortalOptions = {}) {
    this.#realm = realm;
    this.#authorize = authorize;
    this.#deadline = deadline;
    this.#clock = clock;
  }

  /** Has the checker judge credentials of these classes, by default of all that it names. One checker a class. */
  register<C extends Credentials>(checker: Checker<C>, ...interfaces: readonly Interface<C>[]): this {
    const registered = interfaces.length > 0 ? interfaces : checker.credentialInterfaces;
    for (const credentialInterface of registered) {
      if (this.#checkers.has(credentialInterface)) {
        throw new TypeError(`a checker for ${credentialInterface.name} is registered already: join the two in a CascadingChecker`);
      }
    }
    for (const credentialInterface of registered) this.#checkers.set(credentialInterface, checker);
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

  /** How many are logged in. */
  get openLogins(): number {
    return this.#logins.size;
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
    const attempt = new Attempt(mind, this.#clock, this.#deadline);
    try {
      return await attempt.race(this.#login(credentials, attempt, interfaces));
    } catch (error) {
      throw asLoginError(error);
    } finally {
      attempt.end();
    }
  }

  /** Logs everybody out, and resolves when all have gone; nobody's failure to leave keeps another. */
  async logoutAll(reason: LogoutReason = 'shutdown'): Promise<void> {
    await Promise.allSettled(Array.from(this.#logins, (login) => login.logout(reason)));
  }

  async #login<I extends readonly Interface<object>[]>(
    credentials: Credentials,
    attempt: Attempt,
    interfaces: I,
  ): Promise<Login<InstanceOf<I[number]>>> {
    const checker = this.#checkerOf(credentials);
    if (checker === undefined) throw new UnhandledCredentials(`no checker for ${credentials.constructor.name}`);

    const authenticated = await checker.requestAvatarId(credentials as never, attempt);
    const { authzid } = credentials;
    const avatarId = authzid === undefined ? authenticated : await this.#authorize(authenticated, authzid, credentials, attempt);
    if (avatarId === '') throw new TemporaryFailure('a checker returned an empty avatar id');
    if (attempt.ended) throw new TemporaryFailure('the login ended before its avatar was asked for');

    const given = await this.#realm.requestAvatar(avatarId, attempt, interfaces);
    if (!interfaces.some((wanted) => given.avatar instanceof wanted)) {
      await given.logout('reset');
      throw new NoAvatar(`the realm returned an avatar of none of ${interfaces.map((wanted) => wanted.name).join(', ')}`);
    }
    const login: Login<InstanceOf<I[number]>> = new Login(avatarId, given.avatar as InstanceOf<I[number]>, (reason) => {
      this.#logins.delete(login);
      return given.logout(reason);
    });
    if (attempt.ended) {
      await login.logout('disconnected');
      throw new TemporaryFailure('the login ended before its avatar came');
    }
    this.#logins.add(login);
    return login;
  }

  /** The most derived class wins, whatever the order of registration. */
  #checkerOf(credentials: object): AnyChecker | undefined {
    for (let prototype = credentials; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
      const checker = this.#checkers.get(prototype.constructor as Interface);
      if (checker !== undefined) return checker;
    }
    return undefined;
  }
}

/** The default policy (RFC 4616 §2, RFC 4422 §2): an authorization identity must be the authentication identity itself. */
export const onlyAsThemselves: Authorize = (avatarId, authzid, credentials) => {
  if (avatarId !== ANONYMOUS && (authzid === avatarId || authzid === credentials.username)) return avatarId;
  throw new LoginDenied('not-authorized', 'this user may not act as the identity asked for');
};

/** One login on its way: the client's mind, with a signal that also aborts when the login has taken too long. */
class Attempt implements Mind {
  readonly #mind: Mind;
  readonly #timer: Disposable;
  readonly #failed: Promise<never>;
  readonly #controller = new AbortController();
  #fail!: (reason: Error) => void;
  #ended = false;

  constructor(mind: Mind, clock: Clock, deadline: number) {
    this.#mind = mind;
    this.#failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    this.#timer = clock.after(deadline, () => this.#stop(new TemporaryFailure('the login took too long')));
    if (mind.signal.aborted) this.#left();
    else mind.signal.addEventListener('abort', this.#left);
  }

  get protocol(): string {
    return this.#mind.protocol;
  }

  get remote(): Mind['remote'] {
    return this.#mind.remote;
  }

  get local(): Mind['local'] {
    return this.#mind.local;
  }

  get tls(): Mind['tls'] {
    return this.#mind.tls;
  }

  get clientName(): string | undefined {
    return this.#mind.clientName;
  }

  get store(): Map<symbol, unknown> {
    return this.#mind.store;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** True once nobody waits for the login any more. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What the work comes to, unless the client leaves or time runs out before. */
  race<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failed]);
  }

  end(): void {
    this.#ended = true;
    this.#timer[Symbol.dispose]();
    this.#mind.signal.removeEventListener('abort', this.#left);
  }

  readonly #left = (): void => {
    this.#stop(new TemporaryFailure('the client left during the login', { cause: this.#mind.signal.reason }));
  };

  #stop(reason: Error): void {
    this.end();
    this.#controller.abort(reason);
    this.#fail(reason);
  }
}
