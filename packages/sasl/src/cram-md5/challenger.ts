import { randomBytes } from 'node:crypto';
import { asBuffer, encodeUtf8 } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { preparedName } from '../prepared-name.ts';
import { STRENGTH } from '../strength.ts';
import { CramMd5Response } from './credentials.ts';

/** What the challenge of CRAM-MD5 is made of. */
export interface CramMd5Options {
  /** The fully qualified name of this host, for the challenge (RFC 2195 §2). */
  readonly hostname: string;
  /** What stands before the host name, never twice the same. Default: 128 random bits and the time. */
  readonly nonce?: () => string;
}

/**
 * CRAM-MD5 (RFC 2195): a challenge, and an HMAC over it with the password for a key. It neither shows the password nor protects
 * it from who can guess: it proves the server to nobody, and needs passwords in clear text.
 */
export function cramMd5({ hostname, nonce = randomNonce }: CramMd5Options): Challenger<CramMd5Response> {
  if (!HOSTNAME.test(hostname)) throw new TypeError('CRAM-MD5 needs the name of this host, or its address in brackets');
  return {
    mechanism: 'CRAM-MD5',
    credentials: CramMd5Response,
    exposesSecret: false,
    strength: STRENGTH.digest,
    serverFirst: true,
    async challenge(ask) {
      const challenge = encodeUtf8(`<${nonce()}@${hostname}>`);
      const response = await ask(challenge);
      // User names may hold spaces, digests do not.
      const space = response.lastIndexOf(SPACE);
      const digest = asBuffer(response.subarray(space + 1)).toString('latin1');
      if (space < 0 || !DIGEST.test(digest)) {
        throw new MalformedResponse(
          'a CRAM-MD5 response is a user name, a space and 32 hexadecimal digits in lower case',
        );
      }
      return new CramMd5Response(preparedName(response.subarray(0, space), 'user name'), challenge, digest);
    },
  };
}

/** Digits, a dot, digits, as RFC 2195 has it. */
function randomNonce(): string {
  return `${BigInt(`0x${randomBytes(16).toString('hex')}`)}.${Date.now()}`;
}

const SPACE = 0x20;
const DIGEST = /^[0-9a-f]{32}$/;
const HOSTNAME = /^(?:[\w-]+(?:\.[\w-]+)*|\[[\w.:-]+\])$/;
