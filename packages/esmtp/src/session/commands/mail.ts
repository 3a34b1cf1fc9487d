import { PeerGone } from '@postern/conversation';
import { after, type MaybePromise } from '@postern/core';
import { Anonymous, asLoginError, UnhandledCredentials } from '@postern/cred';
import { type MailParameters, MessageDelivery } from '../../delivery.ts';
import { AUTHENTICATION_REQUIRED, NO_MEMORY, replyForAnonymous } from '../../error-replies.ts';
import { ownWords } from '../../login-rejection.ts';
import { envelopeCost } from '../../message/envelope-cost.ts';
import { isQualified, type ReversePath } from '../../protocol/address.ts';
import type { Command } from '../../protocol/command.ts';
import { readParameters } from '../../protocol/extension.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/** MAIL (RFC 5321 §4.1.1.2): begins a transaction, if the user may send from this address. */
export function mail(
  state: State,
  { path, parameters: said }: Extract<Command, { verb: 'MAIL' }>,
): MaybePromise<Reply> {
  const { settings } = state;
  if (++state.transactions > settings.limits.maxTransactions) return TOO_MANY_TRANSACTIONS;
  const parameters =
    said.length === 0
      ? NO_PARAMETERS
      : readParameters<MailParameters>(settings.mailReaders, said, { smtpUtf8: false }, state);
  if (parameters instanceof Reply) return parameters;
  if (path !== null && !parameters.smtpUtf8 && !path.isAscii) return NOT_ASCII;
  if (state.settings.requireQualifiedDomains && path !== null && !isQualified(path)) return UNQUALIFIED;
  if (!state.reserveForEnvelope(envelopeCost(state.lineOctets))) return NO_MEMORY;
  if (state.login !== undefined) return begin(state, path, parameters);
  return enterAnonymously(state).then((refused) => refused ?? begin(state, path, parameters));
}

function begin(state: State, reversePath: ReversePath, parameters: MailParameters): MaybePromise<Reply> {
  const avatar = state.login?.avatar;
  const valid = state.ask(() => avatar?.validateFrom(reversePath, parameters));
  return after(valid, () => {
    state.transaction = { reversePath, parameters, recipients: [], chunks: undefined };
    return OK;
  });
}

/** Who has not authenticated comes in as a guest, if the portal has a door for guests. Resolves to the refusal, if it has not. */
async function enterAnonymously(state: State): Promise<Reply | undefined> {
  if (!state.portal.handles(Anonymous)) return anonymousRefused(state);
  const { conversation } = state;
  conversation.treatHalfCloseAsDisconnect = true;
  try {
    state.login = await state.portal.login(new Anonymous(), state.mind, MessageDelivery);
    return undefined;
  } catch (failure) {
    if (state.mind.signal.aborted) throw new PeerGone();
    const error = asLoginError(failure);
    const reply = replyForAnonymous(error);
    if (ownWords(error)?.disconnect) state.closeReason = 'disconnected';
    if (error.culprit === 'client') state.tell({ kind: 'login-refused', mechanism: undefined, error, reply });
    else state.reportError(error.culprit, 'MAIL', error);
    return reply;
  } finally {
    conversation.treatHalfCloseAsDisconnect = false;
  }
}

/** Where AUTH is not offered, telling the client to authenticate would help nobody. */
function anonymousRefused(state: State): Reply {
  if (state.settings.authentication !== 'none') return AUTHENTICATION_REQUIRED;
  state.reportError(
    'operator',
    'MAIL',
    new UnhandledCredentials('no checker for Anonymous, and no other way to log in'),
  );
  return NO_ENTRANCE;
}

/** For everybody. */
const NO_PARAMETERS: MailParameters = Object.freeze({ smtpUtf8: false });
const OK = new Reply(250, '2.1.0', 'Sender OK');
const UNQUALIFIED = new Reply(554, '5.7.1', 'The domain of the sender is not fully qualified');
const NO_ENTRANCE = new Reply(451, '4.3.5', 'This server is not set up to take mail');
const TOO_MANY_TRANSACTIONS = new Reply(421, '4.7.0', 'Too many transactions on one connection');
const NOT_ASCII = new Reply(550, '5.6.7', 'An address with such characters needs SMTPUTF8');
