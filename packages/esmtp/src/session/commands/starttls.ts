import { PeerGone } from '@postern/conversation';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/**
 * STARTTLS (RFC 3207 §4). Afterwards nothing that was learned of the client holds, whoever was logged in is not, and no octet that came in
 * the clear is heard. What is pipelined behind it ends the connection: nobody honest sends that.
 */
export async function starttls(state: State): Promise<Reply | undefined> {
  const { conversation, mind } = state;
  if (mind.tls !== undefined) return ALREADY;
  if (!state.canStartTls) return NOT_HERE;
  if (conversation.hasInput) return NOT_LAST;
  conversation.say(READY);
  try {
    await conversation.startTls();
  } catch (error) {
    state.reportError('client', 'STARTTLS', error);
    // Back to clear text there is no way.
    throw new PeerGone('no TLS came about', { cause: error });
  }
  await state.logout('reset');
  mind.forget();
  state.enterPhase('start');
  state.tell({ kind: 'tls-started' });
  return undefined;
}

const READY = '220 2.0.0 Ready to start TLS\r\n';
const ALREADY = new Reply(503, '5.5.1', 'TLS is active already');
const NOT_HERE = new Reply(502, '5.5.1', 'TLS is not available');
const NOT_LAST = new Reply(421, '4.7.0', 'Nothing may be sent behind STARTTLS before TLS is up');
