import { field, filledField, sayLast, sayMore } from '../client/dialogue.ts';
import type { Responder, UserPassword } from '../client/responder.ts';
import { STRENGTH } from '../strength.ts';

/**
 * LOGIN (draft-murchison-sasl-login): says the user name, then the password, whatever the prompts say. It waits for the first
 * prompt, since not every server takes the user name as an initial response.
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
