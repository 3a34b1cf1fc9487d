import { runStartTls } from '@postern/sasl-profile';
import { stlsReplies } from '../../error-replies.ts';
import type { State } from '../state.ts';

/**
 * STLS (RFC 2595 §4). Octets pipelined behind it close the connection, because no honest client
 * sends them.
 */
export async function stls(state: State): Promise<undefined> {
  await runStartTls(state, {
    verb: 'STLS',
    ready: '+OK begin TLS negotiation',
    replyFor: (obstacle) => stlsReplies[obstacle],
  });
  state.username = undefined;
}
