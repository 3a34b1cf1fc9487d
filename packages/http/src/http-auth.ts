import { Warnings } from '@postern/conversation';
import { type Clock, type MaybePromise, settled, systemClock } from '@postern/core';
import { asLoginError, hasDisconnected, type Interface, type Login, type LoginError, type Portal } from '@postern/cred';
import {
  type Ask,
  authenticate,
  ChallengePacer,
  ExchangeCancelled,
  ExchangeError,
  type MechanismPolicy,
  mayExposeSecret,
  UnheardRefusal,
} from '@postern/sasl';
import { checkCheckers, checkRealm, EventReporter, reportError } from '@postern/sasl-profile';
import { formatStatus, type RefusalStatus, retryFields, statusFor } from './error-replies.ts';
import type { HttpAuthEvent, HttpAuthListener } from './events.ts';
import { type ClientInfo, refusalResponse, requestInfo } from './fetch.ts';
import { type HttpLimits, withDefaultLimits } from './limits.ts';
import { type Granted, GrantedLogin, type Refused, RefusedLogin } from './outcome.ts';
import type { HeaderField, HttpRequestInfo } from './request-info.ts';
import { isQuotable } from './schemes/auth-params.ts';
import { defaultSchemes } from './schemes/default-schemes.ts';
import type { AuthenticateOptions, HttpScheme, ReadCredentials, SchemeServer } from './schemes/scheme.ts';
import { splitAuthorization } from './schemes/split-authorization.ts';

/** The options of {@link httpAuth}. */
export interface HttpAuthOptions<A extends object> {
  /** Logs clients in, for `avatar`. */
  readonly portal: Portal;
  /** The avatar that the pages work with, such as `Identity` of `@postern/cred`. */
  readonly avatar: Interface<A>;
  /** The name of the protection space, which browsers show: printable ISO 8859-1. */
  readonly realm: string;
  /**
   * The schemes, in the order of their challenges. Default: SCRAM-SHA-256, Digest, Bearer, Basic. A
   * client is offered those that the portal has a checker for and the connection allows.
   */
  readonly schemes?: readonly HttpScheme[];
  /**
   * The connections on which Basic and Bearer are offered. Default: those with TLS, and those of
   * clients on this machine.
   */
  readonly mechanismPolicy?: MechanismPolicy | undefined;
  /** Bounds on what one request may use. */
  readonly limits?: Partial<HttpLimits>;
  /**
   * Gets the events of all requests. Default: none. Errors of this server and of its operator then
   * become warnings of the process, the same one at most once a minute.
   */
  readonly onEvent?: HttpAuthListener;
  /**
   * True reports the login of each request. Default: false reports the first of consecutive
   * requests of one user on a connection, because a web page causes many requests.
   */
  readonly reportEachLogin?: boolean;
  /**
   * True puts the user name of a failed login into its event. Users type passwords into the wrong
   * field. Default: false.
   */
  readonly logUsernames?: boolean;
  /** The clock for delays and lifetimes. Default: the system's. */
  readonly clock?: Clock;
}

/**
 * Returns the authentication of HTTP requests (RFC 9110 §11) through a portal.
 *
 * Register checkers and avatars before this call: it checks that some client can log in.
 *
 * @example
 * ```ts
 * import { Identity, type Portal } from '@postern/cred';
 * import { type ClientInfo, httpAuth } from '@postern/http';
 *
 * declare const portal: Portal;
 * const auth = httpAuth({ portal, avatar: Identity, realm: 'example.com' });
 *
 * export async function handle(request: Request, client: ClientInfo): Promise<Response> {
 *   const granted = await auth.login(request, client);
 *   if (granted instanceof Response) return granted;
 *   await using _login = granted;
 *   const response = new Response(`Hello, ${granted.login.avatar.username}`);
 *   for (const [name, value] of granted.headers) response.headers.append(name, value);
 *   return response;
 * }
 * ```
 *
 * @throws TypeError for an option that cannot work. No checker lets any client in, the portal has
 * no such avatar, two schemes have one name, or `realm` has a control character.
 * @throws RangeError for a limit that is too small.
 */
export function httpAuth<A extends object>(options: HttpAuthOptions<A>): HttpAuth<A> {
  return new HttpAuth(options);
}

/** Authenticates requests in one protection space: see {@link httpAuth}. */
export class HttpAuth<A extends object> implements Disposable {
  readonly #portal: Portal;
  readonly #interfaces: readonly [Interface<A>];
  readonly #schemes: readonly ServedScheme[];
  readonly #byName: ReadonlyMap<string, ServedScheme>;
  readonly #policy: MechanismPolicy;
  readonly #limits: HttpLimits;
  readonly #events: EventReporter<HttpAuthEvent>;
  readonly #reportEachLogin: boolean;
  readonly #logUsernames: boolean;
  readonly #clock: Clock;
  readonly #pacer: ChallengePacer;

  /** @throws TypeError or RangeError as {@link httpAuth} does. */
  constructor(options: HttpAuthOptions<A>) {
    const { portal, avatar, realm, clock = systemClock, schemes = defaultSchemes() } = options;
    checkRealm(portal, avatar, 'httpAuth');
    checkCheckers(portal, schemes, 'httpAuth');
    checkProtectionSpace(realm);
    this.#portal = portal;
    this.#interfaces = [avatar];
    this.#schemes = schemes.map((scheme) => ({ scheme, server: scheme.serve({ realm, clock }) }));
    this.#byName = byName(this.#schemes);
    this.#policy = options.mechanismPolicy ?? {};
    this.#limits = withDefaultLimits(options.limits);
    this.#events = new EventReporter(options.onEvent, new Warnings(clock), 'http');
    this.#reportEachLogin = options.reportEachLogin ?? false;
    this.#logUsernames = options.logUsernames ?? false;
    this.#clock = clock;
    this.#pacer = new ChallengePacer(this.#limits.minChallengeDelay, clock);
  }

  /**
   * Logs in the client of a request, or returns the refusal: synchronously if neither a checker nor
   * a delay has to be waited for. Never throws or rejects. Hold the result with `await using`, also
   * where it may be a refusal: a login that is not disposed of stays open.
   */
  authenticate(request: HttpRequestInfo): MaybePromise<Granted<A> | Refused> {
    const { authorization } = request;
    if (authorization === undefined) return this.#challenge(request);
    if (typeof authorization !== 'string') return new RefusedLogin(400, []);
    if (authorization.length > this.#limits.maxAuthorization) return new RefusedLogin(431, []);
    const split = splitAuthorization(authorization);
    if (split === undefined) return new RefusedLogin(400, []);
    const served = this.#byName.get(split.scheme);
    if (served === undefined || !this.#portal.handles(served.scheme.credentials)) return this.#challenge(request);
    // The server does not look at a secret that was sent in the clear (RFC 8314 §4.1).
    if (!this.#isAllowed(served, request)) return this.#challenge(request);
    return this.#logIn(request, served, split.credentials);
  }

  /**
   * Logs in the client of a fetch-style request, or resolves with the response to a client that is
   * not logged in. Add the `headers` of a login to your response, and dispose of the login when the
   * response has been sent.
   */
  async login(request: Request, client: ClientInfo): Promise<Granted<A> | Response> {
    const outcome = await this.authenticate(requestInfo(request, client));
    return outcome.login === undefined ? refusalResponse(outcome, request.method) : outcome;
  }

  /** Ends the exchanges that wait for a further request. */
  [Symbol.dispose](): void {
    for (const { server } of this.#schemes) server.close?.();
  }

  #logIn(
    request: HttpRequestInfo,
    { scheme, server }: ServedScheme,
    credentials: string,
  ): MaybePromise<Granted<A> | Refused> {
    const attempt = new LoginAttempt(request, credentials, (read, options) => {
      return authenticate<readonly [Interface<A>]>({
        challenger: {
          mechanism: scheme.name,
          credentials: scheme.credentials,
          exposesSecret: scheme.exposesSecret,
          challenge: (ask) => read(ask),
        },
        portal: this.#portal,
        mind: options?.mind ?? request.mind,
        interfaces: this.#interfaces,
        initialResponse: undefined,
        ask: options?.ask ?? cannotAsk,
        onCredentials: ({ username }) => {
          attempt.username = username;
        },
        minFailureDelay: this.#limits.minFailureDelay,
        pacer: this.#pacer,
        clock: this.#clock,
      });
    });
    return settled<Awaited<ReturnType<SchemeServer['logIn']>>, Granted<A> | Refused>(
      () => server.logIn<A>(attempt),
      (outcome) => {
        if (outcome.login === undefined) return new RefusedLogin(401, challengeFields(outcome.challenges));
        this.#reportLogin(request, scheme, outcome.login as Login<A>);
        return new GrantedLogin(outcome.login as Login<A>, outcome.headers);
      },
      (error) => this.#refuse(request, { scheme, server }, error, attempt.username),
    );
  }

  /** Asks for credentials. A client that has sent none has done nothing wrong. */
  #challenge(request: HttpRequestInfo): Refused {
    const fields = this.#challengeFields(request);
    // A 401 without a challenge is malformed (RFC 9110 §15.5.2): this connection is offered none.
    return new RefusedLogin(fields.length > 0 ? 401 : 403, fields);
  }

  /** The challenge of a malformed request is that of its scheme alone (RFC 6750 §3.1). */
  #challengesOfRefusal(
    status: RefusalStatus,
    request: HttpRequestInfo,
    served: ServedScheme,
    error: LoginError | ExchangeError,
  ): readonly HeaderField[] {
    if (status === 401 || status === 403) return this.#challengeFields(request, served, error);
    return status === 400 ? challengeFields(served.server.challenges(error)) : [];
  }

  #challengeFields(
    request: HttpRequestInfo,
    refused?: ServedScheme,
    refusal?: LoginError | ExchangeError,
  ): readonly HeaderField[] {
    const fields: HeaderField[] = [];
    for (const served of this.#schemes) {
      if (!this.#portal.handles(served.scheme.credentials) || !this.#isAllowed(served, request)) continue;
      const isRefused = served.scheme === refused?.scheme;
      for (const challenge of served.server.challenges(isRefused ? refusal : undefined)) {
        fields.push(['WWW-Authenticate', challenge]);
      }
    }
    return fields;
  }

  #isAllowed({ scheme: { exposesSecret } }: ServedScheme, { connection, mind }: HttpRequestInfo): boolean {
    return exposesSecret === false || mayExposeSecret(connection ?? mind, this.#policy);
  }

  #refuse(request: HttpRequestInfo, served: ServedScheme, failure: unknown, username: string | undefined): Refused {
    const error = failureOf(failure);
    const status = served.server.statusFor?.(error) ?? statusFor(error);
    this.#reportRefusal(request, served.scheme, error, status, username);
    const challenges = this.#challengesOfRefusal(status, request, served, error);
    return new RefusedLogin(status, [...challenges, ...retryFields(status, error)]);
  }

  #reportLogin({ mind }: HttpRequestInfo, { name: mechanism }: HttpScheme, { avatarId }: Login<A>): void {
    if (!this.#events.hasListener) return;
    if (!this.#reportEachLogin) {
      const last = mind.store.get(LAST_LOGIN) as LastLogin | undefined;
      if (last?.mechanism === mechanism && last.avatarId === avatarId) return;
      mind.store.set(LAST_LOGIN, { mechanism, avatarId });
    }
    this.#events.report({ mind, kind: 'authenticated', mechanism, avatarId });
  }

  #reportRefusal(
    { mind }: HttpRequestInfo,
    { name: mechanism }: HttpScheme,
    error: LoginError | ExchangeError,
    status: RefusalStatus,
    username: string | undefined,
  ): void {
    if (error.culprit !== 'client') {
      // The failure of a login whose client has left is no error of this server.
      if (!hasDisconnected(mind)) reportError(this.#events, mind, 'request', error);
      return;
    }
    if (!this.#events.hasListener) return;
    const reply = formatStatus(status);
    this.#events.report({
      mind,
      kind: 'login-refused',
      mechanism,
      error,
      reply,
      ...(this.#logUsernames && username !== undefined ? { username } : {}),
    });
  }
}

/** A scheme with its state in this protection space. */
interface ServedScheme {
  readonly scheme: HttpScheme;
  readonly server: SchemeServer;
}

type LastLogin = Pick<Extract<HttpAuthEvent, { kind: 'authenticated' }>, 'mechanism' | 'avatarId'>;

/** A request with credentials, and the user name that they turned out to have. */
class LoginAttempt<A> {
  readonly request: HttpRequestInfo;
  readonly credentials: string;
  readonly authenticate: (read: ReadCredentials, options?: AuthenticateOptions) => MaybePromise<Login<A>>;
  username: string | undefined = undefined;

  constructor(request: HttpRequestInfo, credentials: string, authenticate: LoginAttempt<A>['authenticate']) {
    this.request = request;
    this.credentials = credentials;
    this.authenticate = authenticate;
  }
}

/** @throws TypeError for two schemes with one name. */
function byName(schemes: readonly ServedScheme[]): ReadonlyMap<string, ServedScheme> {
  const map = new Map(schemes.map((served) => [served.scheme.name.toLowerCase(), served]));
  if (map.size === schemes.length) return map;
  throw new TypeError('schemes: two schemes have one name; expected one scheme for it');
}

/** @throws TypeError for a realm that no quoted-string can contain. */
function checkProtectionSpace(realm: unknown): void {
  if (typeof realm === 'string' && realm !== '' && isQuotable(realm)) return;
  throw new TypeError('realm: expected the name of the protection space, in printable ISO 8859-1');
}

function failureOf(failure: unknown): LoginError | ExchangeError {
  const error = failure instanceof UnheardRefusal ? failure.refusal : failure;
  return error instanceof ExchangeError ? error : asLoginError(error);
}

function challengeFields(challenges: readonly string[]): readonly HeaderField[] {
  return challenges.map((challenge) => ['WWW-Authenticate', challenge]);
}

/** A checker cannot ask for a second factor in a scheme whose client sends one message. */
const cannotAsk: Ask = () => Promise.reject(new ExchangeCancelled('a request has one message of this scheme'));

/** The key of the last reported login in the store of a connection. */
const LAST_LOGIN = Symbol('last login');
