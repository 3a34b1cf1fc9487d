import { PeerGone } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import { Anonymous, asLoginError, UnhandledCredentials } from '@postern/cred';
import { MessageDelivery } from '../../delivery.ts';
import { AUTHENTICATION_REQUIRED, NO_MEMORY, replyForAnonymous } from '../../error-replies.ts';
import { customRefusal } from '../../login-rejection.ts';
import { asDeliveryFailure } from '../../message/delivery-failed.ts';
import { isQualified, type ReversePath } from '../../protocol/address.ts';
import type { Command } from '../../protocol/command.ts';
import { readParameters } from '../../protocol/extension.ts';
import type { MailParameters } from '../../protocol/parameters.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/** MAIL (RFC 5321 §4.1.1.2): begins a transaction, if the delivery accepts the sender. */
export function mail(state: State, command: Extract<Command, { verb: 'MAIL' }>): MaybePromise<Reply> {
  const { settings } = state;
  const { path } = command;
  if (++state.transactions > settings.limits.maxTransactions) return TOO_MANY_TRANSACTIONS;
  const parameters =
    command.parameters.length === 0
      ? NO_PARAMETERS
      : readParameters<MailParameters>(settings.mailReaders, command.parameters, { smtpUtf8: false }, state);
  if (parameters instanceof Reply) return parameters;
  if (path !== null && !parameters.smtpUtf8 && !path.isAscii) return NOT_ASCII;
  if (settings.requireQualifiedDomains && path !== null && !isQualified(path)) return UNQUALIFIED;
  if (!state.reserveForEnvelope(state.pathCost)) return NO_MEMORY;
  if (state.login !== undefined) return begin(state, path, parameters);
  return loginAnonymously(state).then((refusal) => refusal ?? begin(state, path, parameters));
}

function begin(state: State, reversePath: ReversePath, parameters: MailParameters): MaybePromise<Reply> {
  const validated = validate(state, reversePath, parameters);
  if (validated === undefined) return beginTransaction(state, reversePath, parameters);
  return validated.then(() => beginTransaction(state, reversePath, parameters));
}

function validate(state: State, reversePath: ReversePath, parameters: MailParameters): MaybePromise<void> {
  try {
    const validated = state.login?.avatar.validateFrom(reversePath, parameters);
    return isPromise(validated) ? state.inTime(validated) : undefined;
  } catch (error) {
    throw asDeliveryFailure(error);
  }
}

function beginTransaction(state: State, reversePath: ReversePath, parameters: MailParameters): Reply {
  state.transaction = { reversePath, parameters, recipients: [], chunks: undefined };
  return OK;
}

/**
 * Logs the client in as `Anonymous`, if the portal has a checker for that. Resolves to the refusal,
 * if there is one.
 */
async function loginAnonymously(state: State): Promise<Reply | undefined> {
  if (!state.portal.handles(Anonymous)) return refuseAnonymous(state);
  const { conversation } = state;
  conversation.treatHalfCloseAsDisconnect = true;
  try {
    state.login = await state.portal.login(new Anonymous(), state.mind, MessageDelivery);
    return undefined;
  } catch (failure) {
    if (state.mind.signal.aborted) throw new PeerGone();
    const error = asLoginError(failure);
    const reply = replyForAnonymous(error);
    if (customRefusal(error)?.disconnect) state.closeReason = 'disconnected';
    if (error.culprit === 'client')
      state.report({ mind: state.mind, kind: 'login-refused', mechanism: undefined, error, reply });
    else state.reportError(error.culprit, 'MAIL', error);
    return reply;
  } finally {
    conversation.treatHalfCloseAsDisconnect = false;
  }
}

/**
 * Asks for authentication only where AUTH is offered. Otherwise the server lacks a checker, and its
 * operator the mistake.
 */
function refuseAnonymous(state: State): Reply {
  if (state.settings.authentication !== 'none') return AUTHENTICATION_REQUIRED;
  state.reportError(
    'operator',
    'MAIL',
    new UnhandledCredentials('no checker for Anonymous, and no other way to log in'),
  );
  return NO_LOGIN;
}

/** One object for all commands without parameters. */
const NO_PARAMETERS: MailParameters = Object.freeze({ smtpUtf8: false });
const OK = new Reply(250, '2.1.0', 'Sender OK');
const UNQUALIFIED = new Reply(554, '5.7.1', 'The domain of the sender is not fully qualified');
const NO_LOGIN = new Reply(451, '4.3.5', 'This server is not set up to take mail');
const TOO_MANY_TRANSACTIONS = new Reply(421, '4.7.0', 'Too many transactions on one connection');
const NOT_ASCII = new Reply(550, '5.6.7', 'An address with such characters needs SMTPUTF8');
