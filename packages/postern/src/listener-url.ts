import type { Policy, Service } from '@postern/esmtp';
import { type Endpoint, networks, parseEndpoint } from '@postern/node';
import { UsageError } from './errors.ts';
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
}

/** The protocol of an {@link AccessListenerUrl}. `sieve` is ManageSieve (RFC 5804). */
export type AccessService = 'pop3' | 'imap' | 'sieve' | AuthService;

/** A protocol by which the mail server of another project asks about users. */
export type AuthService = 'dovecot-auth';

type Scheme = 'smtp' | 'smtps' | 'lmtp' | 'lmtps' | 'pop3s' | 'imaps' | AccessService;

/** Returns true for a listener of any protocol but SMTP and LMTP. */
export function isAccess<L extends Pick<ListenerUrl, 'service'>>(
  listener: L,
): listener is Extract<L, { service: AccessService }> {
  return ACCESS_SERVICES.some((service) => service === listener.service);
}

/** Returns true for a listener at which mail servers ask about users. */
export function isAuthServer<L extends Pick<ListenerUrl, 'service'>>(
  listener: L,
): listener is Extract<L, { service: AccessService }> {
  return AUTH_SERVICES.some((service) => service === listener.service);
}

/** Returns true for an SMTP or LMTP listener. */
export function isSmtp<L extends Pick<ListenerUrl, 'service'>>(
  listener: L,
): listener is Extract<L, { service: Service }> {
  return !isAccess(listener);
}

/**
 * Parses `smtp://HOST:PORT`, `smtps://…`, `lmtp://…`, `lmtps://…`, `pop3://…`, `pop3s://…`,
 * `imap://…`, `imaps://…`, `sieve://…` or `dovecot-auth://…`, or `SCHEME+unix:PATH` of one without
 * TLS, with parameters. With port 0 the system picks a port.
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
    tls: isAuth ? 'none' : take(parameters, 'tls', ['required', 'none']),
    proxy: takeNetworks(parameters, 'proxy'),
    mode: 'path' in endpoint ? takeMode(parameters) : undefined,
    group: 'path' in endpoint ? takeGroup(parameters) : undefined,
    takeOver: takeSwitch(parameters, 'takeover'),
  };
  const listener = access === undefined ? takeSmtp(common, parameters) : { ...common, service: access };
  const [unknown] = parameters.keys();
  if (unknown !== undefined) throw unknownParameter(unknown, listener);
  if (isTls && listener.tls === 'none') {
    throw new UsageError(`expected no tls=none with ${scheme}://, which is TLS from the first byte`);
  }
  if (isTls && 'path' in endpoint) throw new UsageError(`expected ${LISTENER_USAGE}`);
  // RFC 2033 §5.
  if (listener.service === 'lmtp' && 'port' in endpoint && endpoint.port === 25) {
    throw new UsageError('expected any port but 25 for LMTP');
  }
  return listener;
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
const AUTH_SERVICES: readonly AuthService[] = ['dovecot-auth'];
/** The services of an {@link AccessListenerUrl}. */
export const ACCESS_SERVICES: readonly AccessService[] = ['pop3', 'imap', 'sieve', ...AUTH_SERVICES];
/** The schemes of TLS from the first byte. RFC 5804 has none for ManageSieve. */
const TLS_SCHEMES: readonly Scheme[] = ['smtps', 'lmtps', 'pop3s', 'imaps'];
const SCHEMES: readonly Scheme[] = ['smtp', 'lmtp', ...ACCESS_SERVICES, ...TLS_SCHEMES];

/** The forms of a listener's URL, for errors. */
const LISTENER_USAGE =
  'smtp://HOST:PORT (an IPv6 address in brackets), or the same with smtps, lmtp, lmtps, pop3, pop3s, imap, imaps, sieve or dovecot-auth, or SCHEME+unix:PATH for one without TLS, with ?tls=required|none and the like if wanted';
