import { randomBytes } from 'node:crypto';
import { asBuffer, encodeUtf8 } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { preparedName } from '../prepared-name.ts';
import { STRENGTH } from '../strength.ts';
import { CramMd5Response } from './credentials.ts';

/** The parts of the challenge of CRAM-MD5. */
export interface CramMd5Options {
  /** The fully qualified name of this host (RFC 2195 §2). */
  readonly hostname: string;
  /**
   * Returns the text before the host name, a new one in each call. Default: 128 random bits and the
   * time.
   */
  readonly nonce?: () => string;
}

/**
 * Returns the challenger of CRAM-MD5 (RFC 2195): the client answers a challenge with an HMAC that
 * has the password as its key. A listener does not read the password, but can test guesses. The
 * server does not prove itself. It needs passwords in clear text, or the contexts of their HMAC.
 *
 * @throws TypeError if `hostname` is neither a host name nor an address in brackets.
 */
export function cramMd5({ hostname, nonce = randomNonce }: CramMd5Options): Challenger<CramMd5Response> {
  if (!HOSTNAME.test(hostname)) {
    throw new TypeError(
      `hostname: expected the name of this host, or its address in brackets, not ${JSON.stringify(hostname)}`,
    );
  }
  return {
    mechanism: 'CRAM-MD5',
    credentials: CramMd5Response,
    exposesSecret: false,
    strength: STRENGTH.digest,
    serverFirst: true,
    async challenge(ask) {
      const challenge = encodeUtf8(`<${nonce()}@${hostname}>`);
      const response = await ask(challenge);
      // A user name may contain spaces, a digest does not.
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

/** Returns 39 digits, a dot and the time, as in RFC 2195: each challenge has the same length. */
function randomNonce(): string {
  const random = BigInt(`0x${randomBytes(16).toString('hex')}`).toString();
  return `${random.padStart(DIGITS_OF_128_BITS, '0')}.${Date.now()}`;
}

const DIGITS_OF_128_BITS = 39;
const SPACE = 0x20;
const DIGEST = /^[0-9a-f]{32}$/;
const HOSTNAME = /^(?:[\w-]+(?:\.[\w-]+)*|\[[\w.:-]+\])$/;
