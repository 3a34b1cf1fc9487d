import { after, type MaybePromise } from '@postern/core';
import type { RcptParameters } from '../../delivery.ts';
import { NO_MEMORY } from '../../error-replies.ts';
import { envelopeCost } from '../../message/envelope-cost.ts';
import { isQualified } from '../../protocol/address.ts';
import type { Command } from '../../protocol/command.ts';
import { readParameters } from '../../protocol/extension.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/** RCPT (RFC 5321 §4.1.1.3): adds a recipient, if the user may send to this address. */
export function rcpt(
  state: State,
  { path, parameters: said }: Extract<Command, { verb: 'RCPT' }>,
): MaybePromise<Reply> {
  const { transaction, login } = state;
  if (transaction === undefined) throw new Error('RCPT without a transaction');
  const parameters =
    said.length === 0 ? NO_PARAMETERS : readParameters<RcptParameters>(state.settings.rcptReaders, said, {}, state);
  if (parameters instanceof Reply) return parameters;
  if (!transaction.parameters.smtpUtf8 && !path.isAscii) return NOT_ASCII;
  if (state.settings.requireQualifiedDomains && !isQualified(path)) return UNQUALIFIED;
  if (transaction.recipients.length >= state.limits.maxRecipients) return TOO_MANY;
  const cost = envelopeCost(state.lineOctets);
  const shortage = state.conversation.memory.shortageOf(cost);
  if (shortage !== undefined) return shortage === 'process' ? NO_MEMORY : TOO_MANY;
  const valid = state.ask(() => login?.avatar.validateTo(path, parameters, transaction.parameters));
  return after(valid, () => {
    state.chargeEnvelope(cost);
    transaction.recipients.push({ forwardPath: path, parameters });
    return OK;
  });
}

/** For everybody. */
const NO_PARAMETERS: RcptParameters = Object.freeze({});
const OK = new Reply(250, '2.1.5', 'Recipient OK');
const NOT_ASCII = new Reply(553, '5.6.7', 'An address with such characters needs SMTPUTF8');
const UNQUALIFIED = new Reply(554, '5.7.1', 'The domain of the recipient is not fully qualified');
const TOO_MANY = new Reply(452, '4.5.3', 'Too many recipients');
