import type { Policy, Service } from '@postern/esmtp';
import { type Endpoint, networks, parseEndpoint } from '@postern/node';
import { UsageError } from './errors.ts';
import { secretOf } from './spec-secrets.ts';
import { suggestion } from './suggest.ts';

/** The parsed URL of a listener. A part that the URL does not name is undefined. */
export type ListenerUrl = SmtpListenerUrl | AccessListenerUrl;

/** The parts of a URL that the listeners of all protocols have. */
interface CommonListenerUrl {
  readonly endpoint: Endpoint & { readonly scheme: Scheme };
  readonly tls: 'required' | 'none' | undefined;
  /** Addresses and networks whose connections begin with a PROXY header. */
  readonly proxy: readonly string[] | undefined;
  /** The permissions of a UNIX socket's file. */
  readonly mode: number | undefined;
  /** The group of a UNIX socket's file: a number or a name. */
  readonly group: number | string | undefined;
  /** True if the listener replaces the UNIX socket of a running server, or shares its TCP port. */
  readonly takeOver: boolean | undefined;
}

/** The parsed URL of an SMTP or LMTP listener. */
export interface SmtpListenerUrl extends CommonListenerUrl {
  readonly service: Service;
  readonly auth: Policy['authentication'] | undefined;
  readonly requireQualifiedDomains: boolean | undefined;
  readonly addMissingHeaders: boolean | undefined;
  readonly removeBcc: boolean | undefined;
  readonly omitClientFromReceived: boolean | undefined;
  readonly newlines: Policy['newlines'] | undefined;
  /** Addresses and networks that may send XCLIENT. */
  readonly xclient: readonly string[] | undefined;
}

/**
 * The parsed URL of a listener at which users read their mail or manage its filters, or at which
 * other servers ask for logins.
 */
export interface AccessListenerUrl extends CommonListenerUrl {
  readonly service: AccessService;
  /** The servers to which nginx's mail proxy connects, by protocol: IP addresses with ports. */
  readonly nginxBackEnds?: NginxBackEnds | undefined;
  /** The value of nginx's field X-Auth-Key. */
  readonly nginxSecret?: string | undefined;
}

/** The back ends of nginx's mail proxy by protocol: `127.0.0.1:587`. */
export type NginxBackEnds = { readonly [protocol in (typeof NGINX_PROTOCOLS)[number]]?: string };

/** The protocol of an {@link AccessListenerUrl}. `sieve` is ManageSieve (RFC 5804). */
export type AccessService = 'pop3' | 'imap' | 'sieve' | AuthService;

/** A protocol by which a server of another project asks about users. */
export type AuthService = LoginService | DirectoryService;

/** A protocol by which a server of another project logs its clients in. */
export type LoginService = 'dovecot-auth' | 'saslauthd' | 'http';

/** A protocol by which a mail server asks about senders and recipients. No client logs in. */
export type DirectoryService = 'dovecot-userdb' | 'policy' | 'socketmap';

type Scheme = 'smtp' | 'smtps' | 'lmtp' | 'lmtps' | 'pop3s' | 'imaps' | 'https' | AccessService;

/** Returns true for a listener of any protocol but SMTP and LMTP. */
export function isAccess<L extends Pick<ListenerUrl, 'service'>>(
  listener: L,
): listener is Extract<L, { service: AccessService }> {
  return ACCESS_SERVICES.some((service) => service === listener.service);
}

/** Returns true for a listener at which other servers ask about users. */
export function isAuthServer<L extends Pick<ListenerUrl, 'service'>>(
  listener: L,
): listener is Extract<L, { service: AccessService }> {
  return AUTH_SERVICES.some((service) => service === listener.service);
}

/** Returns true for a listener at which mail servers ask about senders and recipients. */
export function isDirectory<L extends Pick<ListenerUrl, 'service'>>(
  listener: L,
): listener is Extract<L, { service: AccessService }> {
  return DIRECTORY_SERVICES.some((service) => service === listener.service);
}

/** Returns true for an SMTP or LMTP listener. */
export function isSmtp<L extends Pick<ListenerUrl, 'service'>>(
  listener: L,
): listener is Extract<L, { service: Service }> {
  return !isAccess(listener);
}

/**
 * Parses `smtp://HOST:PORT`, `smtps://…`, `lmtp://…`, `lmtps://…`, `pop3://…`, `pop3s://…`,
 * `imap://…`, `imaps://…`, `sieve://…`, `dovecot-auth://…`, `dovecot-userdb://…`, `policy://…`,
 * `socketmap://…`, `http://…` or `https://…`, or `SCHEME+unix:PATH` of one without TLS, with
 * parameters; `saslauthd` has only a UNIX socket. With port 0 the system picks a port.
 *
 * @throws UsageError
 */
export function parseListenerUrl(url: string): ListenerUrl {
  const { endpoint, parameters } = parse(url);
  const { scheme } = endpoint;
  const isTls = TLS_SCHEMES.includes(scheme);
  const access = ACCESS_SERVICES.find((service) => scheme.startsWith(service));
  const isAuth = access !== undefined && isAuthServer({ service: access });
  const common = {
    endpoint,
    tls: isAuth ? cleartextUnless(isTls) : take(parameters, 'tls', ['required', 'none']),
    proxy: takeNetworks(parameters, 'proxy'),
    mode: 'path' in endpoint ? takeMode(parameters) : undefined,
    group: 'path' in endpoint ? takeGroup(parameters) : undefined,
    takeOver: takeSwitch(parameters, 'takeover'),
  };
  const listener = access === undefined ? takeSmtp(common, parameters) : takeAccess(common, access, parameters);
  const [unknown] = parameters.keys();
  if (unknown !== undefined) throw unknownParameter(unknown, listener);
  if (isTls && listener.tls === 'none') {
    throw new UsageError(`expected no tls=none with ${scheme}://, which is TLS from the first byte`);
  }
  if (isTls && 'path' in endpoint) throw new UsageError(`expected ${LISTENER_USAGE}`);
  // The protocol has the password in clear text, and Cyrus SASL reaches UNIX sockets only.
  if (listener.service === 'saslauthd' && !('path' in endpoint)) throw new UsageError('expected saslauthd+unix:PATH');
  // RFC 2033 §5.
  if (listener.service === 'lmtp' && 'port' in endpoint && endpoint.port === 25) {
    throw new UsageError('expected any port but 25 for LMTP');
  }
  return listener;
}

/** The protocols of other servers have no command that begins TLS. */
function cleartextUnless(isTls: boolean): 'none' | undefined {
  return isTls ? undefined : 'none';
}

/** Removes the parameters of the other protocols. */
function takeAccess(common: CommonListenerUrl, service: AccessService, parameters: URLSearchParams): AccessListenerUrl {
  if (service !== 'http') return { ...common, service };
  const servers = NGINX_PROTOCOLS.flatMap((protocol) => {
    const server = takeText(parameters, protocol, `${protocol}= and an IP address with a port, such as 127.0.0.1:587`);
    return server === undefined ? [] : [[protocol, server] as const];
  });
  return {
    ...common,
    service,
    nginxBackEnds: servers.length === 0 ? undefined : Object.fromEntries(servers),
    nginxSecret: takeSecret(parameters),
  };
}

function takeSecret(parameters: URLSearchParams): string | undefined {
  const expected = 'secret=file:PATH or secret=env:NAME';
  const secret = takeText(parameters, 'secret', expected);
  if (secret === undefined) return undefined;
  // Every user of the machine can read the arguments of a process.
  if (!/^(?:env|file):/.test(secret)) throw new UsageError(`expected ${expected}`);
  return secretOf(secret);
}

/** Removes the parameters of SMTP and LMTP. */
function takeSmtp(common: CommonListenerUrl, parameters: URLSearchParams): SmtpListenerUrl {
  const isLmtp = common.endpoint.scheme.startsWith('lmtp');
  return {
    ...common,
    service: isLmtp ? 'lmtp' : (take(parameters, 'service', ['submission', 'mx']) ?? 'submission'),
    auth: take(parameters, 'auth', ['required', 'optional', 'none']),
    requireQualifiedDomains: takeSwitch(parameters, 'requireQualifiedDomains'),
    addMissingHeaders: takeSwitch(parameters, 'addMissingHeaders'),
    removeBcc: takeSwitch(parameters, 'removeBcc'),
    omitClientFromReceived: takeSwitch(parameters, 'omitClientFromReceived'),
    newlines: take(parameters, 'newlines', ['reject', 'normalize']),
    xclient: takeNetworks(parameters, 'xclient'),
  };
}

function parse(url: string): { endpoint: ListenerUrl['endpoint']; parameters: URLSearchParams } {
  const [, word = ''] = /^([^:+]*)/.exec(url) ?? [];
  const intended = SCHEMES.find((scheme) => scheme === word);
  const usage = intended === undefined ? `${LISTENER_USAGE}${suggestion(word, SCHEMES)}` : usageOf(intended);
  try {
    const { scheme: word, parameters, ...address } = parseEndpoint(url);
    const scheme = SCHEMES.find((known) => known === word);
    if (scheme !== undefined) return { endpoint: { ...address, scheme }, parameters };
  } catch (error) {
    throw new UsageError(`expected ${usage}`, { cause: error });
  }
  throw new UsageError(`expected ${usage}`);
}

/** Returns the forms of a URL with this scheme, for errors. */
function usageOf(scheme: Scheme): string {
  if (scheme === 'saslauthd') return 'saslauthd+unix:PATH';
  const unix = TLS_SCHEMES.includes(scheme) ? '' : `, or ${scheme}+unix:PATH`;
  return `${scheme}://HOST:PORT (an IPv6 address in brackets)${unix}`;
}

/** Removes a parameter and returns its value, which must be one of `values` and occur once. */
function take<const V extends string>(parameters: URLSearchParams, key: string, values: readonly V[]): V | undefined {
  const value = takeText(parameters, key, `${key}=${values.join(` or ${key}=`)}`);
  if (value === undefined) return undefined;
  const known = values.find((allowed) => allowed === value);
  if (known === undefined) throw new UsageError(`expected ${key}=${values.join(` or ${key}=`)}, once`);
  return known;
}

function takeSwitch(parameters: URLSearchParams, key: string): boolean | undefined {
  const value = take(parameters, key, ['yes', 'no']);
  return value === undefined ? undefined : value === 'yes';
}

function takeNetworks(parameters: URLSearchParams, key: string): readonly string[] | undefined {
  const expected = `${key}= and addresses, networks or unix, with commas`;
  const list = takeText(parameters, key, expected)?.split(',');
  if (list === undefined) return undefined;
  try {
    networks(list);
    return list;
  } catch (error) {
    throw new UsageError(`expected ${expected}: ${(error as Error).message}`, { cause: error });
  }
}

function takeMode(parameters: URLSearchParams): number | undefined {
  const expected = 'mode= and three octal digits, such as 660';
  const mode = takeText(parameters, 'mode', expected);
  if (mode === undefined) return undefined;
  if (!/^[0-7]{3}$/.test(mode)) throw new UsageError(`expected ${expected}`);
  return Number.parseInt(mode, 8);
}

function takeGroup(parameters: URLSearchParams): number | string | undefined {
  const expected = 'group= and the name or number of a group, such as postfix';
  const group = takeText(parameters, 'group', expected);
  if (group === undefined) return undefined;
  if (/^\d{1,9}$/.test(group)) return Number(group);
  if (!/^[\w.@$-]+$/.test(group)) throw new UsageError(`expected ${expected}`);
  return group;
}

function takeText(parameters: URLSearchParams, key: string, expected: string): string | undefined {
  const [value, ...more] = parameters.getAll(key);
  parameters.delete(key);
  if (more.length > 0) throw new UsageError(`expected ${expected}, once`);
  return value;
}

function unknownParameter(key: string, { endpoint, service }: ListenerUrl): UsageError {
  const known = [
    ...(service === 'submission' || service === 'mx' ? ['service'] : []),
    ...(isAuthServer({ service }) ? [] : ['tls']),
    ...(isSmtp({ service }) ? SMTP_PARAMETERS : []),
    ...(service === 'http' ? [...NGINX_PROTOCOLS, 'secret'] : []),
    'proxy',
    ...(isSmtp({ service }) ? ['xclient'] : []),
    ...('path' in endpoint ? ['mode', 'group'] : []),
    'takeover',
  ];
  const names = known.map((name) => `${name}=`).join(' or ');
  return new UsageError(`expected ${names} after the ?, not ${JSON.stringify(key)}${suggestion(key, known)}`);
}

const SMTP_PARAMETERS = [
  'auth',
  'requireQualifiedDomains',
  'addMissingHeaders',
  'newlines',
  'removeBcc',
  'omitClientFromReceived',
];
const DIRECTORY_SERVICES: readonly DirectoryService[] = ['dovecot-userdb', 'policy', 'socketmap'];
const AUTH_SERVICES: readonly AuthService[] = ['dovecot-auth', 'saslauthd', 'http', ...DIRECTORY_SERVICES];
const NGINX_PROTOCOLS = ['smtp', 'imap', 'pop3'] as const;
/** The services of an {@link AccessListenerUrl}. */
export const ACCESS_SERVICES: readonly AccessService[] = ['pop3', 'imap', 'sieve', ...AUTH_SERVICES];
/** The schemes of TLS from the first byte. RFC 5804 has none for ManageSieve. */
const TLS_SCHEMES: readonly Scheme[] = ['smtps', 'lmtps', 'pop3s', 'imaps', 'https'];
const SCHEMES: readonly Scheme[] = ['smtp', 'lmtp', ...ACCESS_SERVICES, ...TLS_SCHEMES];

/** The forms of a listener's URL, for errors. */
const LISTENER_USAGE =
  'smtp://HOST:PORT (an IPv6 address in brackets), or the same with smtps, lmtp, lmtps, pop3, pop3s, imap, imaps, sieve, dovecot-auth, dovecot-userdb, policy, socketmap, http or https, or SCHEME+unix:PATH for one without TLS, with ?tls=required|none and the like if wanted';
