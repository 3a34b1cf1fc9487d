import { escapeName, unescapeName } from '../scram/messages.ts';

/** An initial response of OAUTHBEARER or XOAUTH2, decoded but not prepared. */
export interface TokenRequest {
  readonly authzid: string | undefined;
  readonly host: string | undefined;
  readonly port: number | undefined;
  /** The token. Empty if the client asks which token it needs (RFC 7628 §4.3). */
  readonly token: string;
}

/**
 * Parses an OAUTHBEARER response (RFC 7628 §3.1). Returns undefined for a text outside the grammar.
 */
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

/** Returns an OAUTHBEARER response (RFC 7628 §3.1). */
export function formatOAuthBearer({ authzid, host, port, token }: TokenRequest): string {
  const header = `n,${authzid === undefined ? '' : `a=${escapeName(authzid)}`},`;
  const pairs = [
    ...(host === undefined ? [] : [`host=${host}`]),
    ...(port === undefined ? [] : [`port=${port}`]),
    `auth=Bearer ${token}`,
  ];
  return `${[header, ...pairs].join(KVSEP)}${KVSEP}${KVSEP}`;
}

/** Parses an XOAUTH2 response. Returns undefined for a text outside the grammar. */
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

/** Returns an XOAUTH2 response. */
export function formatXOAuth2(user: string, token: string): string {
  return `user=${user}${KVSEP}auth=Bearer ${token}${KVSEP}${KVSEP}`;
}

/**
 * Returns why no checker can judge this token, in words for the log. Returns undefined if one can.
 */
export function tokenFault(token: string): string | undefined {
  if (token === '') return 'the client asks which token it needs';
  return token.length > MAX_TOKEN_OCTETS ? `the token is longer than ${MAX_TOKEN_OCTETS} octets` : undefined;
}

/**
 * Parses `kvsep *kvpair kvsep`. Returns undefined for a text outside the grammar, and for a key
 * that occurs twice.
 */
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

/**
 * Returns the token of an authorization (RFC 6750 §2.1), or the empty text for an empty one.
 * Returns undefined if the authorization has no bearer token.
 */
function parseAuthorization(authorization: string | undefined): string | undefined {
  return authorization === '' ? '' : BEARER.exec(authorization ?? '')?.[1];
}

/**
 * Returns the result, and makes V8 drop the token: V8 keeps the text of the last match of a regular
 * expression until another one matches.
 */
function forgetMatch<T>(result: T): T {
  NOTHING.test('');
  return result;
}

/** The grammar of a bearer token (RFC 6750 §2.1, b64token). */
export const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/;

const BEARER = /^Bearer +([A-Za-z0-9\-._~+/]+=*)$/i;
const KVSEP = '\x01';
const NOTHING = /^$/;
/** The gs2-header without `p=`: OAUTHBEARER has no channel binding. */
const GS2_HEADER = /^[ny],(?:a=([^\0,]+))?,/;
const PAIRS = /^\x01(?:[A-Za-z]+=[\t\n\r\x20-\x7e]*\x01)*\x01$/;
/**
 * The values of XOAUTH2 may contain UTF-8: it has no written grammar, and user names may contain
 * any letter.
 */
const UTF8_PAIRS = /^\x01(?:[A-Za-z]+=[^\0-\x08\x0b\x0c\x0e-\x1f\x7f]*\x01)*\x01$/;
const PORT = /^[1-9][0-9]{0,4}$/;

/**
 * The longest token in octets: it fits into a response of 12,288 octets in base64 (RFC 4954 §4).
 */
const MAX_TOKEN_OCTETS = 8192;
