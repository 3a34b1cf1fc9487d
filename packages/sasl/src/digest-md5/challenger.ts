import { randomBytes } from 'node:crypto';
import { encodeUtf8 } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { preparedAuthzid, preparedName, responseText } from '../prepared-name.ts';
import { STRENGTH } from '../strength.ts';
import { type DigestMd5Info, DigestMd5Response } from './credentials.ts';
import { latin1IfPossible } from './digest.ts';
import { byteString, type Directives, parseDirectives, quote } from './directives.ts';

/** How a server does DIGEST-MD5. */
export interface DigestMd5Options {
  /** The realm of the users, in ASCII: most often the host's name. Stored secrets hold for one realm only. */
  readonly realm: string;
  /** The name of the service: `smtp`, `pop`, `imap`. A client that means another is refused. Default: any. */
  readonly service?: string;
  /** The names of this host: a client that says it connected to another is refused. Default: any. */
  readonly hosts?: readonly string[];
  /** The server's nonce, never twice the same. Default: 128 random bits. */
  readonly nonce?: () => string;
}

/**
 * DIGEST-MD5 (RFC 2831), authentication only: no security layers, no subsequent authentication. It is historic (RFC 6331), for
 * clients that know nothing better; its stored secrets are as good as passwords.
 */
export function digestMd5(options: DigestMd5Options): Challenger<DigestMd5Response> {
  const { realm, nonce = randomNonce } = options;
  if (!/^[\x20-\x7e]+$/.test(realm)) throw new TypeError('DIGEST-MD5 needs a realm in ASCII');
  return {
    mechanism: 'DIGEST-MD5',
    credentials: DigestMd5Response,
    exposesSecret: false,
    strength: STRENGTH.digest + 10,
    serverFirst: true,
    // RFC 6331. Some clients prefer it to all other mechanisms.
    isHistoric: true,
    async challenge(ask) {
      const once = nonce();
      // The one form that suits all clients: no blanks, nothing else, the algorithm without quotation marks.
      const challenge = `realm=${quote(realm)},nonce=${quote(once)},qop="auth",charset=utf-8,algorithm=md5-sess`;
      return new DigestMd5Response(read(await ask(encodeUtf8(challenge)), once, options), ask);
    },
  };
}

/** RFC 2831 §2.1.2. */
function read(response: Uint8Array, nonce: string, { realm, service, hosts }: DigestMd5Options): DigestMd5Info {
  const directives = response.length < MAX_LENGTH ? parseDirectives(byteString(response)) : undefined;
  if (directives === undefined) throw new MalformedResponse('a DIGEST-MD5 response is a list of directives');
  const one = (name: string, isRight: (value: string) => boolean = () => true): string => {
    const value = atMostOne(directives, name);
    if (value === undefined || !isRight(value)) throw wrong(name);
    return value;
  };
  const optional = (name: string, isRight: (value: string) => boolean): string | undefined =>
    directives.has(name) ? one(name, isRight) : undefined;

  const charset = optional('charset', (value) => value.toLowerCase() === 'utf-8');
  const rawUsername = Buffer.from(one('username'), 'latin1');
  const username = charset === undefined ? rawUsername.toString('latin1') : responseText(rawUsername);
  const rawAuthzid = optional('authzid', (value) => value !== '');
  optional('maxbuf', (value) => /^\d+$/.test(value));
  optional('cipher', () => true);
  one('realm', (value) => value === realm);

  const name = preparedName(username, 'user name');
  const authzid = rawAuthzid && preparedAuthzid(responseText(Buffer.from(rawAuthzid, 'latin1')), name);
  return {
    username: name,
    authzid,
    rawUsername: latin1IfPossible(username),
    rawRealm: encodeUtf8(realm),
    input: {
      nonce: one('nonce', (value) => value === nonce),
      cnonce: one('cnonce', (value) => value !== ''),
      nc: one('nc', (value) => value === '00000001'),
      qop: optional('qop', (value) => value.toLowerCase() === 'auth') ?? 'auth',
      digestUri: one('digest-uri', (value) => isMeant(value, service, hosts)),
      authzid: rawAuthzid,
    },
    response: one('response', (value) => /^[0-9a-f]{32}$/.test(value)),
  };
}

function atMostOne(directives: Directives, name: string): string | undefined {
  const [value, ...more] = directives.get(name) ?? [];
  if (more.length > 0) throw wrong(name);
  return value;
}

function wrong(name: string): MalformedResponse {
  return new MalformedResponse(`the directive ${name} is missing, doubled or wrong`);
}

/** `serv-type "/" host [ "/" serv-name ]`: what the client means must be us, as far as we know what we are called. */
function isMeant(digestUri: string, service: string | undefined, hosts: readonly string[] | undefined): boolean {
  const [type, host, ...name] = digestUri.toLowerCase().split('/');
  if (!type || !host || name.length > 1) return false;
  if (service !== undefined && type !== service.toLowerCase()) return false;
  return hosts === undefined || hosts.some((one) => one.toLowerCase() === host);
}

function randomNonce(): string {
  return randomBytes(16).toString('base64');
}

/** RFC 2831 §2.1.2. */
const MAX_LENGTH = 4096;
