import { PeerGone } from '@postern/conversation';
import { asLoginError, type Login, TrustedLogin } from '@postern/cred';
import { MessageDelivery } from '../../delivery.ts';
import { customRefusal } from '../../login-rejection.ts';
import type { Command } from '../../protocol/command.ts';
import type { ForwardedInfo } from '../../protocol/forwarded.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/**
 * XCLIENT (Postfix XCLIENT_README): a trusted peer names the client whose connection it forwards.
 * The session begins again with that information and the TLS of the connection. The user that the
 * peer names is logged in, if a checker accepts it.
 */
export async function xclient(state: State, { info }: Extract<Command, { verb: 'XCLIENT' }>): Promise<Reply> {
  const { mind } = state;
  if (!state.trustsPeer) return NOT_AUTHORIZED;
  if (info.login !== undefined && !state.takesTrustedLogin) return NO_LOGIN;
  const before = mind.forwarded;
  mind.forward({ ...before, ...info });
  if (info.login === undefined) {
    const isKept = state.authenticated && before?.login !== undefined && !('login' in info);
    if (!isKept) await state.logout('reset');
  } else {
    const refusal = await logIn(state, info.login, before);
    if (refusal !== undefined) return refusal;
  }
  mind.clientName = undefined;
  state.forgetHostname();
  state.report({ mind: state.mind, kind: 'forwarded', peer: state.conversation.transport.remote });
  return new Reply(220, undefined, state.greeting);
}

/**
 * Logs the user in, in place of the previous login. Resolves to the refusal, if there is one: then
 * the previous information and login stay.
 */
async function logIn(state: State, user: string, before: ForwardedInfo | undefined): Promise<Reply | undefined> {
  const { conversation, mind, portal } = state;
  let login: Login<MessageDelivery>;
  conversation.treatHalfCloseAsDisconnect = true;
  try {
    login = await portal.login(new TrustedLogin(user), mind, MessageDelivery);
  } catch (failure) {
    if (mind.signal.aborted) throw new PeerGone();
    const error = asLoginError(failure);
    const own = customRefusal(error);
    const reply = own?.reply ?? (error.culprit === 'client' ? NOT_AUTHORIZED : FAILED);
    if (error.culprit === 'client')
      state.report({ mind: state.mind, kind: 'login-refused', mechanism: MECHANISM, error, reply });
    else state.reportError(error.culprit, 'XCLIENT', error);
    if (own?.disconnect) state.closeReason = 'disconnected';
    mind.forward(before);
    return reply;
  } finally {
    conversation.treatHalfCloseAsDisconnect = false;
  }
  await state.logout('reset');
  state.setLogin(login);
  state.report({ mind: state.mind, kind: 'authenticated', mechanism: MECHANISM, avatarId: login.avatarId });
}

/** The mechanism in events. */
const MECHANISM = 'XCLIENT';
const NOT_AUTHORIZED = new Reply(550, '5.7.0', 'Not authorized');
const NO_LOGIN = new Reply(501, '5.5.4', 'LOGIN is not accepted');
const FAILED = new Reply(421, '4.3.0', 'Something went wrong here, closing the connection');
