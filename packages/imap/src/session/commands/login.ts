import { UsernamePassword } from '@postern/cred';
import { usernamePassword } from '@postern/sasl';
import { replyForLogin } from '../../error-replies.ts';
import type { Command } from '../../protocol/command.ts';
import { literalAtEnd } from '../../protocol/strings.ts';
import { hearStrings, refuseWithLiterals } from '../literals.ts';
import type { State } from '../state.ts';
import { enter } from './authenticate.ts';

/**
 * LOGIN (RFC 9051 §6.2.3). Refuses it before it asks for a literal where passwords may not be
 * exposed.
 */
export async function login(state: State, { tag, argument = '' }: Command): Promise<undefined> {
  const { loginObstacle } = state;
  if (loginObstacle !== undefined) {
    const status = replyForLogin(loginObstacle, 'LOGIN');
    return await refuseWithLiterals(state, literalAtEnd(argument), `${tag} ${status}`);
  }
  const [username, password] = await hearStrings(state, tag, argument, 2);
  if (username === undefined || password === undefined) {
    return await refuseWithLiterals(state, undefined, `${tag} BAD Invalid arguments`);
  }
  const challenge = (): UsernamePassword => usernamePassword(octets(username), octets(password));
  await enter(state, tag, { verb: 'LOGIN', mechanism: { ...LOGIN, challenge } });
}

function octets(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** The command as a mechanism whose exchange is over. */
const LOGIN = { mechanism: 'LOGIN', credentials: UsernamePassword, exposesSecret: true };
