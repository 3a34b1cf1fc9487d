import { Warnings } from '@postern/conversation';
import { type Clock, systemClock } from '@postern/core';
import {
  asLoginError,
  Identity,
  type Login,
  LoginDenied,
  type LoginError,
  type Mind,
  type Portal,
  TemporaryFailure,
} from '@postern/cred';
import { authenticate, ExchangeError, MalformedResponse } from '@postern/sasl';
import {
  EventReporter,
  loginRefusalOf,
  reportError,
  type SessionEvent,
  type SessionListener,
} from '@postern/sasl-profile';
import { mailExchange } from './mail-challenger.ts';
import { MailMind } from './mail-mind.ts';
import { type MailProtocol, type MailReply, mayRetry, replyForMail } from './mail-replies.ts';
import { type MailHeader, type NginxMailRequest, parseMailHeader } from './mail-request.ts';
import { isPassableName, NginxBackEnd } from './nginx-back-end.ts';
import { SharedSecret } from './shared-secret.ts';

/** An event of {@link nginxMail}: `authenticated`, `login-refused` or `error`. */
export type NginxMailEvent = Extract<
  SessionEvent<'auth_http', MailReply>,
  { readonly kind: 'authenticated' | 'login-refused' | 'error' }
>;

/** The options of {@link nginxMail}. */
export interface NginxMailOptions {
  /**
   * Logs clients in. The avatar is an {@link NginxBackEnd} for a user with a back end of the user's
   * own, or else an `Identity`.
   */
  readonly portal: Portal;
  /**
   * The back ends of users whose avatar is an `Identity`, by protocol: an IP address and a port,
   * such as `192.0.2.25:587`.
   */
  readonly backEnds?: { readonly [protocol in MailProtocol]?: string };
  /**
   * The value of `X-Auth-Key` in nginx's requests (`auth_http_header X-Auth-Key …`). A request
   * without it is refused, so that only nginx can try passwords here. Default: none is needed.
   */
  readonly secret?: string;
  readonly limits?: Partial<NginxMailLimits>;
  /** Gets the logins, refusals and errors. Default: errors become warnings of the process. */
  readonly onEvent?: SessionListener<NginxMailEvent>;
  /**
   * True puts the user name of a failed login into its event. Users type passwords into the wrong
   * field. Default: false.
   */
  readonly logUsernames?: boolean;
  /** Measures the delays. Default: the system's clock. */
  readonly clock?: Clock;
}

/** The limits against guessing on one connection of a mail client. Times are milliseconds. */
export interface NginxMailLimits {
  /** The failed logins after which nginx closes the client's connection. Default: 3. */
  readonly maxLoginFailures: number;
  /**
   * The time that nginx waits before it answers an earlier failed login, in whole seconds (nginx's
   * unit), at least one: nginx closes the connection without a wait. Default: 3,000.
   */
  readonly loginFailureDelay: number;
  /** The earliest answer to a refusal, counted from the request. Default: 250. */
  readonly minFailureDelay: number;
}

/** The answer to a request of nginx's `auth_http`. */
export interface NginxMailAnswer {
  /** 200 with the outcome in `headers`. 400 or 403, without headers, for a request of others. */
  readonly status: 200 | 400 | 403;
  /** The names and values of fields: one character for each octet (latin1). */
  readonly headers: ReadonlyMap<string, string>;
}

/**
 * Returns the auth server of nginx's mail proxy (`auth_http`), for requests of any HTTP server.
 * {@link nginxMailHandler} serves it by `node:http`. nginx ignores the status of an answer and
 * reads the outcome from `Auth-Status`. A temporary failure makes nginx close the client's
 * connection, after `454 4.7.0` for SMTP.
 *
 * EXTERNAL needs `ssl_verify_client on` and `auth_http_pass_client_cert on`, and a checker for
 * `ExternalIdentity`. CRAM-MD5, APOP and EXTERNAL for IMAP and POP3 need an {@link NginxBackEnd}
 * with a password.
 *
 * @example
 * ```ts
 * import {
 *   AvatarRealm,
 *   Identity,
 *   identityOf,
 *   InMemoryUsernamePasswordDatabaseDontUse,
 *   Portal,
 * } from '@postern/cred';
 * import { nginxMail } from '@postern/http/nginx';
 *
 * const users = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' });
 * const portal = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(users);
 * const answer = nginxMail({ portal, backEnds: { smtp: '127.0.0.1:587' }, secret: 's3cret' });
 * ```
 *
 * @throws TypeError for a back end that is no IP address and port, or an empty secret.
 * @throws RangeError for a limit that is too small.
 */
export function nginxMail(options: NginxMailOptions): (request: NginxMailRequest) => Promise<NginxMailAnswer> {
  const { backEnds = {}, clock = systemClock, logUsernames = false, portal } = options;
  const events = new EventReporter(options.onEvent, new Warnings(clock), 'nginxMail');
  const secret =
    options.secret === undefined ? undefined : new SharedSecret(options.secret, events, 'auth_http', clock);
  const settings: Settings = {
    portal,
    backEnds: new Map(Object.entries(backEnds).map(([protocol, server]) => [protocol, backEndOf(protocol, server)])),
    limits: limitsOf(options.limits),
    events,
    logUsernames,
    clock,
  };
  return async (request) => {
    const header = parseMailHeader(request);
    if (header === undefined) return secret === undefined ? BAD_REQUEST : FORBIDDEN;
    const mindOf = () => new MailMind(header, request.local, request.signal);
    if (secret !== undefined && !secret.admits(header.field('x-auth-key'), mindOf)) return FORBIDDEN;
    return await new MailLogin(header, request, settings).answer();
  };
}

interface Settings {
  readonly portal: Portal;
  readonly backEnds: ReadonlyMap<string, NginxBackEnd>;
  readonly limits: NginxMailLimits;
  readonly events: EventReporter<NginxMailEvent>;
  readonly logUsernames: boolean;
  readonly clock: Clock;
}

/** One login of a mail client. */
class MailLogin {
  readonly #header: MailHeader;
  readonly #mind: Mind;
  readonly #settings: Settings;
  #mechanism: string | undefined;
  #username: string | undefined;

  constructor(header: MailHeader, { local, signal }: NginxMailRequest, settings: Settings) {
    this.#header = header;
    this.#mind = new MailMind(header, local, signal);
    this.#settings = settings;
  }

  async answer(): Promise<NginxMailAnswer> {
    try {
      return granted(await this.#logIn());
    } catch (error) {
      return this.#refuse(error instanceof ExchangeError ? error : asLoginError(error));
    }
  }

  /** Returns the fields for a client that the portal lets in. */
  async #logIn(): Promise<ReadonlyMap<string, string>> {
    const { clock, events, limits, portal } = this.#settings;
    const exchange = mailExchange(this.#header);
    if (exchange === undefined) throw new MalformedResponse(`an unknown method: ${this.#header.method}`);
    const { challenger, initialResponse } = exchange;
    this.#mechanism = challenger.mechanism;
    const login = await authenticate({
      challenger,
      portal,
      mind: this.#mind,
      interfaces: [NginxBackEnd, Identity],
      initialResponse,
      ask: askNothing,
      onCredentials: ({ username }) => {
        this.#username = username;
      },
      minFailureDelay: limits.minFailureDelay,
      clock,
    });
    try {
      const fields = this.#fieldsOf(login);
      const { avatarId } = login;
      events.report({ kind: 'authenticated', mind: this.#mind, mechanism: challenger.mechanism, avatarId });
      return fields;
    } finally {
      await this.#logOut(login);
    }
  }

  /** The client's session is nginx's from here on. A logout that fails changes no outcome. */
  async #logOut(login: Login<object>): Promise<void> {
    try {
      await login.logout();
    } catch (error) {
      reportError(this.#settings.events, this.#mind, 'auth_http', error);
    }
  }

  /** @throws TemporaryFailure if nginx cannot connect this user. */
  #fieldsOf({ avatar, avatarId }: Login<NginxBackEnd | Identity>): ReadonlyMap<string, string> {
    const { method, protocol } = this.#header;
    const isIdentity = avatar instanceof Identity;
    const backEnd = isIdentity ? this.#settings.backEnds.get(protocol) : avatar;
    if (backEnd === undefined) throw misconfigured(`backEnds.${protocol}: there is no back end for this protocol`);
    const username = backEnd.username ?? (isIdentity ? avatar.username : avatarId);
    const fields = new Map([
      ['Auth-Server', backEnd.host],
      ['Auth-Port', String(backEnd.port)],
    ]);
    if (typeof username === 'string') {
      if (!isPassableName(username)) throw new LoginDenied('not-authorized', NOT_PASSABLE);
      fields.set('Auth-User', latin1(username));
    }
    if (backEnd.password !== undefined) fields.set('Auth-Pass', latin1(backEnd.password));
    else if (protocol !== 'smtp' && method !== 'plain')
      throw misconfigured(`${method} needs a back end with a password`);
    return fields;
  }

  #refuse(error: LoginError | ExchangeError): NginxMailAnswer {
    const { attempt, protocol } = this.#header;
    const { events, limits, logUsernames } = this.#settings;
    const refusal = loginRefusalOf(error);
    // A client without a name has logged in by no mechanism: RFC 4954 §6 asks for one.
    const reply =
      this.#header.method === 'none' && refusal === 'not-offered'
        ? AUTHENTICATION_REQUIRED
        : replyForMail(refusal, protocol);
    const mind = this.#mind;
    // nginx offers methods without asking this server which of them the portal can check.
    if (error.culprit !== 'client' && refusal !== 'not-offered') {
      reportError(events, mind, 'auth_http', error);
    } else {
      const username = logUsernames ? { username: this.#username } : {};
      events.report({ kind: 'login-refused', mind, mechanism: this.#mechanism, error, reply, ...username });
    }
    return refused(
      reply,
      mayRetry(refusal) && attempt < limits.maxLoginFailures ? limits.loginFailureDelay : undefined,
    );
  }
}

function granted(fields: ReadonlyMap<string, string>): NginxMailAnswer {
  return { status: 200, headers: new Map([['Auth-Status', 'OK'], ...fields]) };
}

/** Without `wait`, in milliseconds, nginx closes the client's connection. */
function refused({ code, text }: MailReply, wait: number | undefined): NginxMailAnswer {
  const headers = new Map([['Auth-Status', text]]);
  if (code !== undefined) headers.set('Auth-Error-Code', code);
  if (wait !== undefined) headers.set('Auth-Wait', String(Math.max(1, Math.ceil(wait / 1000))));
  return { status: 200, headers };
}

function backEndOf(protocol: string, server: string): NginxBackEnd {
  try {
    return new NginxBackEnd(server);
  } catch (cause) {
    throw new TypeError(`backEnds.${protocol}: ${cause instanceof Error ? cause.message : ''}`, { cause });
  }
}

function limitsOf(given: Partial<NginxMailLimits> = {}): NginxMailLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const name of ['maxLoginFailures', 'loginFailureDelay', 'minFailureDelay'] as const) {
    const least = name === 'maxLoginFailures' ? 1 : 0;
    if (!(limits[name] >= least))
      throw new RangeError(`limits.${name}: expected at least ${least}, not ${limits[name]}`);
  }
  return limits;
}

function misconfigured(message: string): TemporaryFailure {
  return new TemporaryFailure(message, { culprit: 'operator' });
}

/** Returns one character for each octet of the text in UTF-8, as HTTP servers write fields. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** nginx has run the exchange: its client can be asked nothing more. */
function askNothing(): Promise<never> {
  return Promise.reject(new MalformedResponse('nginx passes no further challenge on'));
}

const DEFAULT_LIMITS: NginxMailLimits = { maxLoginFailures: 3, loginFailureDelay: 3_000, minFailureDelay: 250 };
const AUTHENTICATION_REQUIRED: MailReply = { code: '530 5.7.0', text: 'Authentication required' };
const NOT_PASSABLE = 'nginx cannot pass on a name with blanks or control characters';
/** An error page has none of nginx's fields: nginx ignores the status. */
const FORBIDDEN: NginxMailAnswer = { status: 403, headers: new Map() };
const BAD_REQUEST: NginxMailAnswer = { status: 400, headers: new Map() };
