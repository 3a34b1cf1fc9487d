import { escapeName, unescapeName } from '../scram/messages.ts';

/** An initial response of OAUTHBEARER or XOAUTH2, decoded but neither prepared nor judged. */
export interface TokenRequest {
  readonly authzid: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** The token; empty if the client only asks which one is wanted (RFC 7628 §4.3). */
  readonly token: string;
}

/** The text as an OAUTHBEARER response (RFC 7628 §3.1), or undefined if it is none. */
export function parseOAuthBearer(text: string): TokenRequest | undefined {
  return forgetMatch(readOAuthBearer(text));
}

function readOAuthBearer(text: string): TokenRequest | undefined {
  const header = GS2_HEADER.exec(text);
  if (header === null) return undefined;
  const [{ length }, rawAuthzid] = header;
  const authzid = rawAuthzid === undefined ? undefined : unescapeName(rawAuthzid);
  if (rawAuthzid !== undefined && authzid === undefined) return undefined;

  const pairs = parsePairs(text.slice(length), PAIRS);
  const token = parseAuthorization(pairs?.get('auth'));
  if (pairs === undefined || token === undefined) return undefined;
  const port = pairs.get('port');
  if (port !== undefined && !(PORT.test(port) && Number(port) <= 65_535)) return undefined;
  return { authzid, host: pairs.get('host'), port: port === undefined ? undefined : Number(port), token };
}

/** An OAUTHBEARER response. */
export function formatOAuthBearer({ authzid, host, port, token }: TokenRequest): string {
  const header = `n,${authzid === undefined ? '' : `a=${escapeName(authzid)}`},`;
  const pairs = [
    ...(host === undefined ? [] : [`host=${host}`]),
    ...(port === undefined ? [] : [`port=${port}`]),
    `auth=Bearer ${token}`,
  ];
  return `${[header, ...pairs].join(KVSEP)}${KVSEP}${KVSEP}`;
}

/** The text as an XOAUTH2 response, or undefined if it is none. */
export function parseXOAuth2(text: string): TokenRequest | undefined {
  return forgetMatch(readXOAuth2(text));
}

function readXOAuth2(text: string): TokenRequest | undefined {
  const pairs = parsePairs(KVSEP + text, UTF8_PAIRS);
  const token = parseAuthorization(pairs?.get('auth'));
  const authzid = pairs?.get('user');
  if (token === undefined || !authzid) return undefined;
  return { authzid, host: undefined, port: undefined, token };
}

/** An XOAUTH2 response. */
export function formatXOAuth2(user: string, token: string): string {
  return `user=${user}${KVSEP}auth=Bearer ${token}${KVSEP}${KVSEP}`;
}

/** Why nobody can judge this token, in words for the log; undefined if a checker can. */
export function whyNoToken(token: string): string | undefined {
  if (token === '') return 'the client asks which token it needs';
  return token.length > MAX_TOKEN_OCTETS ? `the token is longer than ${MAX_TOKEN_OCTETS} octets` : undefined;
}

/** `kvsep *kvpair kvsep`; undefined if it is not that, or names a key twice. */
function parsePairs(text: string, grammar: RegExp): ReadonlyMap<string, string> | undefined {
  if (!grammar.test(text)) return undefined;
  const pairs = new Map<string, string>();
  for (const pair of text.slice(1, -1).split(KVSEP).slice(0, -1)) {
    const equals = pair.indexOf('=');
    const key = pair.slice(0, equals);
    if (pairs.has(key)) return undefined;
    pairs.set(key, pair.slice(equals + 1));
  }
  return pairs;
}

/** The token of an authorization by bearer token; empty if the authorization is; undefined if it is none (RFC 6750 §2.1). */
function parseAuthorization(authorization: string | undefined): string | undefined {
  return authorization === '' ? '' : BEARER.exec(authorization ?? '')?.[1];
}

/** The last regular expression that matched keeps its text, which is a token here, until another one matches: so one does. */
function forgetMatch<T>(result: T): T {
  NOTHING.test('');
  return result;
}

/** What a bearer token may be written with (RFC 6750 §2.1, b64token). */
export const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const KVSEP = '\x01';
const NOTHING = /^$/;
/** No channel binding: OAUTHBEARER has none. */
const GS2_HEADER = /^[ny],(?:a=([^\0,]+))?,/;
const PAIRS = /^\x01(?:[A-Za-z]+=[\t\n\r\x20-\x7e]*\x01)*\x01$/;
/** The values of XOAUTH2 may hold more than ASCII: nobody wrote its grammar down, and a user may be called anything. */
const UTF8_PAIRS = /^\x01(?:[A-Za-z]+=[^\0-\x08\x0b\x0c\x0e-\x1f\x7f]*\x01)*\x01$/;
const PORT = /^[1-9][0-9]{0,4}$/;

/** The longest token in octets: it fits into a response of 12,288 octets in base64 (RFC 4954 §4). */
const MAX_TOKEN_OCTETS = 8192;
