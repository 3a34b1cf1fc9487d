import { filledField, sayLast, sayMore } from '../client/dialogue.ts';
import type { Responder, UserPassword } from '../client/responder.ts';
import { STRENGTH } from '../strength.ts';
import { cramMd5Digest } from './credentials.ts';

/**
 * Returns the responder of CRAM-MD5 (RFC 2195): the user name, and an HMAC over the server's
 * challenge with the password as its key.
 */
export function cramMd5Responder({ username, password }: UserPassword): Responder {
  return {
    mechanism: 'CRAM-MD5',
    exposesSecret: false,
    strength: STRENGTH.digest,
    serverFirst: true,
    async respond(say) {
      const name = filledField(username, 'user name');
      const challenge = await sayMore(say, undefined);
      const digest = cramMd5Digest(password, challenge).toString('hex');
      await sayLast(say, Buffer.concat([name, Buffer.from(` ${digest}`)]));
    },
  };
}
