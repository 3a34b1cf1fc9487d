import { field, filledField, sayLast, sayMore } from '../client/dialogue.ts';
import type { Responder, UserPassword } from '../client/responder.ts';
import { STRENGTH } from '../strength.ts';

/**
 * Returns the responder of LOGIN (draft-murchison-sasl-login): the user name, then the password. It
 * ignores the text of the challenges. It sends no initial response, since some servers refuse one.
 */
export function loginResponder({ username, password }: UserPassword): Responder {
  return {
    mechanism: 'LOGIN',
    exposesSecret: true,
    strength: STRENGTH.password,
    async respond(say) {
      await sayMore(say, undefined);
      await sayMore(say, filledField(username, 'user name'));
      await sayLast(say, field(password, 'password'));
    },
  };
}
