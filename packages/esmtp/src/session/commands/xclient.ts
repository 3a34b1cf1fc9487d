import { PeerGone } from '@postern/conversation';
import { asLoginError, type Login, TrustedLogin } from '@postern/cred';
import { MessageDelivery } from '../../delivery.ts';
import { ownWords } from '../../login-rejection.ts';
import type { Command } from '../../protocol/command.ts';
import type { ForwardedInfo } from '../../protocol/forwarded.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/**
 * XCLIENT (Postfix XCLIENT_README): a trusted peer says whose connection it hands on. The session begins again, with those facts and the
 * TLS that there is; whom the peer says that the client is, is logged in if a checker takes its word. Who may say so is decided by the
 * connection itself, whatever was said on it before.
 */
export async function xclient(state: State, { facts }: Extract<Command, { verb: 'XCLIENT' }>): Promise<Reply> {
  const { settings, mind } = state;
  if (!state.trustsPeer) return NOT_AUTHORIZED;
  if (facts.login !== undefined && !state.portal.handles(TrustedLogin)) return NO_LOGIN;
  const before = mind.forwarded;
  mind.forward({ ...before, ...facts });
  if (facts.login === undefined) {
    const isKept = state.authenticated && before?.login !== undefined && !('login' in facts);
    if (!isKept) await state.logout('reset');
  } else {
    const refusal = await logIn(state, facts.login, before);
    if (refusal !== undefined) return refusal;
  }
  mind.clientName = undefined;
  state.tell({ kind: 'forwarded', peer: state.conversation.transport.remote });
  return new Reply(220, undefined, `${settings.hostname} ${settings.protocol === 'lmtp' ? 'LMTP' : 'ESMTP'}`);
}

/** Logs the user in, in the place of whoever was. Resolves to the refusal, if it comes to one: then all is as it was before. */
async function logIn(state: State, user: string, before: ForwardedInfo | undefined): Promise<Reply | undefined> {
  const { conversation, mind, portal } = state;
  let login: Login<MessageDelivery>;
  conversation.treatHalfCloseAsDisconnect = true;
  try {
    login = await portal.login(new TrustedLogin(user), mind, MessageDelivery);
  } catch (failure) {
    if (mind.signal.aborted) throw new PeerGone();
    const error = asLoginError(failure);
    const own = ownWords(error);
    const reply = own?.reply ?? (error.culprit === 'client' ? NOT_AUTHORIZED : FAILED);
    if (error.culprit === 'client') state.tell({ kind: 'login-refused', mechanism: MECHANISM, error, reply });
    else state.reportError(error.culprit, 'XCLIENT', error);
    if (own?.disconnect) state.closeReason = 'disconnected';
    mind.forward(before);
    return reply;
  } finally {
    conversation.treatHalfCloseAsDisconnect = false;
  }
  await state.logout('reset');
  state.enter(login);
  state.tell({ kind: 'authenticated', mechanism: MECHANISM, avatarId: login.avatarId });
}

/** What stands for a mechanism in events. */
const MECHANISM = 'XCLIENT';
const NOT_AUTHORIZED = new Reply(550, '5.7.0', 'Not authorized');
const NO_LOGIN = new Reply(501, '5.5.4', 'LOGIN is not taken here');
const FAILED = new Reply(421, '4.3.0', 'Something went wrong here, closing the connection');
