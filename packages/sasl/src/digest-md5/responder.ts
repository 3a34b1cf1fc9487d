import { randomBytes } from 'node:crypto';
import { NO_BYTES } from '../bytes.ts';
import { field, filledField, sayLast, sayMore } from '../client/dialogue.ts';
import { AuthenticationFailure, SaslFailure } from '../client/errors.ts';
import type { AuthorizationOptions, Responder, UserPassword } from '../client/responder.ts';
import { STRENGTH } from '../strength.ts';
import { type DigestInput, isDigest, latin1IfPossible, responseDigest, rspauthDigest, userHash } from './digest.ts';
import { byteString, parseDirectives, quote } from './directives.ts';

/** The options of DIGEST-MD5 on a client. */
export interface DigestMd5ResponderOptions extends UserPassword, AuthorizationOptions {
  /** The name of the service: `smtp`, `pop`, `imap`. */
  readonly service: string;
  /** The host that the client has connected to. */
  readonly host: string;
  /** The realm of the user, in ASCII. Default: the first realm that the server names. */
  readonly realm?: string;
  /** Returns the client's nonce, a new one in each call. Default: 128 random bits. */
  readonly nonce?: () => string;
}

/**
 * Returns the responder of DIGEST-MD5 (RFC 2831), without security layers. The server must prove
 * that it knows the password as well.
 */
export function digestMd5Responder(options: DigestMd5ResponderOptions): Responder {
  const { username, password, service, host, authzid = '', nonce = randomNonce } = options;
  return {
    mechanism: 'DIGEST-MD5',
    exposesSecret: false,
    strength: STRENGTH.digest + 10,
    serverFirst: true,
    async respond(say) {
      const nameBytes = filledField(username, 'user name');
      const authzidBytes = field(authzid, 'authorization identity');
      const challenge = readChallenge(await sayMore(say, undefined));
      if (!challenge.utf8 && !LATIN1.test(username + password)) {
        throw new SaslFailure('the server takes user names and passwords in ISO 8859-1 only');
      }
      const realm = chooseRealm(challenge.realms, options.realm);
      const input: DigestInput = {
        nonce: challenge.nonce,
        cnonce: nonce(),
        nc: '00000001',
        qop: 'auth',
        digestUri: `${service}/${host}`,
        authzid: authzid === '' ? undefined : byteString(authzidBytes),
      };
      const secret = userHash(latin1IfPossible(username), Buffer.from(realm ?? '', 'latin1'), password);
      const proof = responseDigest(secret, input).toString('hex');
      const sentName = challenge.utf8 ? byteString(nameBytes) : username;

      const last = await sayMore(say, Buffer.from(format(sentName, realm, input, proof, challenge.utf8), 'latin1'));
      const [rspauth = '', ...more] = parseDirectives(byteString(last))?.get('rspauth') ?? [];
      if (more.length > 0 || !isDigest(rspauth, rspauthDigest(secret, input))) {
        throw new AuthenticationFailure('the server does not know the password: its rspauth is wrong');
      }
      await sayLast(say, NO_BYTES);
    },
  };
}

/** Reads a digest-challenge (RFC 2831 §2.1.1). */
function readChallenge(challenge: Uint8Array) {
  const directives = challenge.length < MAX_CHALLENGE_OCTETS ? parseDirectives(byteString(challenge)) : undefined;
  if (directives === undefined) throw new SaslFailure('the DIGEST-MD5 challenge is not a list of directives');
  for (const name of AT_MOST_ONCE) {
    if ((directives.get(name)?.length ?? 0) > 1) throw new SaslFailure(`the challenge has ${name} twice`);
  }
  const first = (name: string): string | undefined => directives.get(name)?.[0];

  const nonce = first('nonce');
  const qop = (first('qop') ?? 'auth').toLowerCase().split(/[\t\n\r ]*,[\t\n\r ]*/);
  const charset = first('charset');
  if (!nonce) throw new SaslFailure('the challenge has no nonce');
  if (first('algorithm')?.toLowerCase() !== 'md5-sess') throw new SaslFailure('the challenge has another algorithm');
  if (!qop.includes('auth')) throw new SaslFailure('the server wants a security layer');
  if (charset !== undefined && charset.toLowerCase() !== 'utf-8') throw new SaslFailure('the charset is not utf-8');
  return { nonce, realms: directives.get('realm') ?? [], utf8: charset !== undefined };
}

/**
 * Returns the realm of the response. Returns undefined if the server names none: the response then
 * has no realm.
 */
function chooseRealm(realms: readonly string[], wanted: string | undefined): string | undefined {
  if (wanted === undefined) return realms[0];
  if (!realms.includes(wanted)) throw new SaslFailure('the server does not have this realm');
  return wanted;
}

/** Returns the digest-response, with the directives in the order of the examples of RFC 2831 §4. */
function format(
  username: string,
  realm: string | undefined,
  input: DigestInput,
  response: string,
  utf8: boolean,
): string {
  const { nonce, nc, cnonce, digestUri, qop, authzid } = input;
  const directives = [
    ...(utf8 ? ['charset=utf-8'] : []),
    `username=${quote(username)}`,
    ...(realm === undefined ? [] : [`realm=${quote(realm)}`]),
    `nonce=${quote(nonce)}`,
    `nc=${nc}`,
    `cnonce=${quote(cnonce)}`,
    `digest-uri=${quote(digestUri)}`,
    `response=${response}`,
    `qop=${qop}`,
    ...(authzid === undefined ? [] : [`authzid=${quote(authzid)}`]),
  ];
  return directives.join(',');
}

function randomNonce(): string {
  return randomBytes(16).toString('base64');
}

const AT_MOST_ONCE = ['nonce', 'qop', 'stale', 'maxbuf', 'charset', 'algorithm', 'cipher'];
const LATIN1 = /^[\0-\xff]*$/;

/** The longest challenge in octets (RFC 2831 §2.1.1). */
const MAX_CHALLENGE_OCTETS = 2048;
