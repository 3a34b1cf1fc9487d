import { isPromise, type MaybePromise } from '@postern/core';
import { NO_MEMORY } from '../../error-replies.ts';
import { asDeliveryFailure } from '../../message/delivery-failed.ts';
import { type ForwardPath, isQualified } from '../../protocol/address.ts';
import type { Command } from '../../protocol/command.ts';
import { readParameters } from '../../protocol/extension.ts';
import type { RcptParameters } from '../../protocol/parameters.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State, Transaction } from '../state.ts';

/** RCPT (RFC 5321 §4.1.1.3): adds a recipient, if the delivery accepts it. */
export function rcpt(state: State, command: Extract<Command, { verb: 'RCPT' }>): MaybePromise<Reply> {
  const { transaction, settings } = state;
  const { path } = command;
  if (transaction === undefined) throw new Error('RCPT without a transaction');
  const parameters =
    command.parameters.length === 0
      ? NO_PARAMETERS
      : readParameters<RcptParameters>(settings.rcptReaders, command.parameters, {}, state);
  if (parameters instanceof Reply) return parameters;
  if (!transaction.parameters.smtpUtf8 && !path.isAscii) return NOT_ASCII;
  if (settings.requireQualifiedDomains && !isQualified(path)) return UNQUALIFIED;
  if (transaction.recipients.length >= state.limits.maxRecipients) return TOO_MANY;
  const cost = state.pathCost;
  const shortage = state.conversation.memory.shortageOf(cost);
  if (shortage !== undefined) return shortage === 'process' ? NO_MEMORY : TOO_MANY;
  const validated = validate(state, transaction, path, parameters);
  if (validated === undefined) return addRecipient(state, transaction, path, parameters, cost);
  return validated.then(() => addRecipient(state, transaction, path, parameters, cost));
}

function validate(
  state: State,
  transaction: Transaction,
  path: ForwardPath,
  parameters: RcptParameters,
): MaybePromise<void> {
  try {
    const validated = state.login?.avatar.validateTo(path, parameters, transaction.parameters);
    return isPromise(validated) ? state.inTime(validated) : undefined;
  } catch (error) {
    throw asDeliveryFailure(error);
  }
}

function addRecipient(
  state: State,
  transaction: Transaction,
  forwardPath: ForwardPath,
  parameters: RcptParameters,
  cost: number,
): Reply {
  state.chargeEnvelope(cost);
  const recipient = { forwardPath, parameters };
  // The first push to an empty list reserves room for 16 recipients more.
  if (transaction.recipients.length === 0) transaction.recipients = [recipient];
  else transaction.recipients.push(recipient);
  return OK;
}

/** One object for all commands without parameters. */
const NO_PARAMETERS: RcptParameters = Object.freeze({});
const OK = new Reply(250, '2.1.5', 'Recipient OK');
const NOT_ASCII = new Reply(553, '5.6.7', 'An address with such characters needs SMTPUTF8');
const UNQUALIFIED = new Reply(554, '5.7.1', 'The domain of the recipient is not fully qualified');
const TOO_MANY = new Reply(452, '4.5.3', 'Too many recipients');
