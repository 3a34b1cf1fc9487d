import { field, filledField, sayLast } from '../client/dialogue.ts';
import type { AuthorizationOptions, Responder, UserPassword } from '../client/responder.ts';
import { STRENGTH } from '../strength.ts';

/** Returns the responder of PLAIN (RFC 4616): the user name and the password, in one message. */
export function plainResponder({ username, password, authzid = '' }: UserPassword & AuthorizationOptions): Responder {
  return {
    mechanism: 'PLAIN',
    exposesSecret: true,
    strength: STRENGTH.password + 10,
    async respond(say) {
      const message = Buffer.concat([
        field(authzid, 'authorization identity'),
        NUL,
        filledField(username, 'user name'),
        NUL,
        filledField(password, 'password'),
      ]);
      await sayLast(say, message);
    },
  };
}

const NUL = Uint8Array.of(0);
