import { Refusal } from '@postern/sasl-profile';
import { stlsReplies } from '../../error-replies.ts';
import type { State } from '../state.ts';

/**
 * STLS (RFC 2595 §4). Octets pipelined behind it close the connection, because no honest client
 * sends them.
 */
export async function stls(state: State): Promise<undefined> {
  const obstacle = state.startTlsObstacle;
  if (obstacle !== undefined) throw new Refusal(stlsReplies[obstacle], { closes: obstacle === 'pipelined' });
  state.conversation.say('+OK begin TLS negotiation\r\n');
  await state.startTls('STLS');
  state.username = undefined;
}
