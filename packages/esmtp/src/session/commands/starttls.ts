import type { StartTlsObstacle } from '@postern/sasl-profile';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/**
 * STARTTLS (RFC 3207 §4). Afterwards the session begins again: it forgets the client's name and
 * login, and ignores octets that came in the clear. Octets pipelined behind STARTTLS close the
 * connection, because no honest client sends them.
 */
export async function starttls(state: State): Promise<Reply | undefined> {
  const obstacle = state.startTlsObstacle;
  if (obstacle !== undefined) return OBSTACLES[obstacle];
  state.conversation.say(READY);
  await state.startTls('STARTTLS');
  state.advance();
  return undefined;
}

const READY = '220 2.0.0 Ready to start TLS\r\n';
const OBSTACLES: Readonly<Record<StartTlsObstacle, Reply>> = {
  active: new Reply(503, '5.5.1', 'TLS is active already'),
  'not-available': new Reply(502, '5.5.1', 'TLS is not available'),
  pipelined: new Reply(421, '4.7.0', 'Nothing may be sent behind STARTTLS before TLS is up'),
};
