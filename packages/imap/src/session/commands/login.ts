import { UsernamePassword } from '@postern/cred';
import { usernamePassword } from '@postern/sasl';
import { hearStrings, refuseWithLiterals } from '@postern/sasl-profile';
import { replyForLogin } from '../../error-replies.ts';
import type { Command } from '../../protocol/command.ts';
import type { State } from '../state.ts';
import { enter } from './authenticate.ts';

/**
 * LOGIN (RFC 9051 §6.2.3). Refuses it before it asks for a literal where passwords may not be
 * exposed.
 */
export async function login(state: State, { tag, argument = '' }: Command): Promise<undefined> {
  const { conversation, loginObstacle } = state;
  const rules = state.stringRules(tag);
  if (loginObstacle !== undefined) {
    const reply = `${tag} ${replyForLogin(loginObstacle, 'LOGIN')}`;
    return await refuseWithLiterals(conversation, argument, rules, reply);
  }
  const [username = '', password = ''] = await hearStrings(conversation, argument, [2, 2], rules);
  const challenge = (): UsernamePassword => usernamePassword(octets(username), octets(password));
  await enter(state, tag, { verb: 'LOGIN', mechanism: { ...LOGIN, challenge } });
}

function octets(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** The command as a mechanism whose exchange is over. */
const LOGIN = { mechanism: 'LOGIN', credentials: UsernamePassword, exposesSecret: true };
