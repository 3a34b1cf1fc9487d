import { UsernamePassword } from '@postern/cred';
import { encodeUtf8 } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { STRENGTH } from '../strength.ts';
import { usernamePassword } from '../username-password.ts';

/** The challenges of LOGIN. */
export interface LoginOptions {
  /**
   * The challenge for the user name. Default: `Username:`, the only one that all clients
   * understand.
   */
  readonly usernamePrompt?: string;
  /** The challenge for the password. Default: `Password:`. */
  readonly passwordPrompt?: string;
}

/**
 * Returns the challenger of LOGIN (draft-murchison-sasl-login): one challenge for the user name,
 * one for the password. A client may send the user name as its initial response.
 */
export function login({
  usernamePrompt = 'Username:',
  passwordPrompt = 'Password:',
}: LoginOptions = {}): Challenger<UsernamePassword> {
  const usernameChallenge = encodeUtf8(usernamePrompt);
  const passwordChallenge = encodeUtf8(passwordPrompt);
  return {
    mechanism: 'LOGIN',
    credentials: UsernamePassword,
    exposesSecret: true,
    strength: STRENGTH.password,
    async challenge(ask, initialResponse) {
      const username = initialResponse ?? (await ask(usernameChallenge));
      const password = await ask(passwordChallenge);
      return usernamePassword(username, password);
    },
  };
}
