import { UsernamePassword } from '@postern/cred';
import { encodeUtf8 } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { STRENGTH } from '../strength.ts';
import { usernamePassword } from '../username-password.ts';

/** How LOGIN asks. */
export interface LoginOptions {
  /** What asks for the user name. Default: `Username:`, the only one that every client understands. */
  readonly usernamePrompt?: string;
  /** What asks for the password. Default: `Password:`. */
  readonly passwordPrompt?: string;
}

/**
 * LOGIN (draft-murchison-sasl-login): asks for the user name, then for the password. Clients may send the user name as an
 * initial response.
 */
export function login({
  usernamePrompt = 'Username:',
  passwordPrompt = 'Password:',
}: LoginOptions = {}): Challenger<UsernamePassword> {
  const askUsername = encodeUtf8(usernamePrompt);
  const askPassword = encodeUtf8(passwordPrompt);
  return {
    mechanism: 'LOGIN',
    credentials: UsernamePassword,
    exposesSecret: true,
    strength: STRENGTH.password,
    async challenge(ask, initialResponse) {
      const username = initialResponse ?? (await ask(askUsername));
      const password = await ask(askPassword);
      return usernamePassword(username, password);
    },
  };
}
