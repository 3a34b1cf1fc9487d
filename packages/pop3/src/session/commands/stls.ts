import { Refusal } from '@postern/sasl-profile';
import type { State } from '../state.ts';

/**
 * STLS (RFC 2595 §4). Octets pipelined behind it close the connection, because no honest client
 * sends them.
 */
export async function stls(state: State): Promise<undefined> {
  const { conversation } = state;
  if (state.hasTls) throw new Refusal('-ERR Command not permitted when TLS active');
  if (!state.canStartTls) throw new Refusal('-ERR TLS is not available');
  if (conversation.hasInput)
    throw new Refusal('-ERR Nothing may be sent behind STLS before TLS is up', { closes: true });
  conversation.say('+OK Begin TLS negotiation\r\n');
  await state.startTls('STLS');
  state.forgetClient();
}
