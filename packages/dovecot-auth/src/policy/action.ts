import { after, isPromise, type MaybePromise } from '@postern/core';
import { Anonymous, LoginDenied, TrustedLogin, UnauthorizedLogin } from '@postern/cred';
import { askDirectory } from '../lookups/ask-directory.ts';
import type { LookupSession } from '../lookups/lookup-session.ts';
import { ProtocolError } from '../lookups/protocol-error.ts';
import type { MailDirectory } from '../mail-directory.ts';
import { PolicyMind } from './policy-mind.ts';
import type { PolicyRequest } from './request.ts';

/**
 * Returns the action of access(5) for a request. Postfix puts the address and the name of its list
 * before the text of a refusal.
 *
 * @throws ProtocolError for a request of another kind; any error for a question without an answer
 */
export function actionFor(request: PolicyRequest, { mind, settings }: LookupSession): MaybePromise<string> {
  if (request.valueOf('request') !== 'smtpd_access_policy') {
    throw new ProtocolError('a request that is no smtpd_access_policy');
  }
  const state = request.valueOf('protocol_state');
  const user = STATES_WITHOUT_SENDER.has(state) ? '' : request.valueOf('sasl_username');
  const asksForRecipient = state === 'RCPT' && request.valueOf('recipient') !== '';
  if (user === '' && !asksForRecipient) return 'DUNNO';
  const credentials = user === '' ? new Anonymous() : new TrustedLogin(user);
  const judge = (directory: MailDirectory) =>
    after(user === '' || directory.mayUseSender(request.valueOf('sender')), (mayUse) => {
      if (!mayUse) return SENDER_OF_OTHERS;
      return asksForRecipient ? recipientAction(directory, request.valueOf('recipient')) : 'DUNNO';
    });
  const action = askDirectory(settings.portal, credentials, new PolicyMind(mind, request), judge);
  return isPromise(action) && user !== '' ? action.catch(refuseUser) : action;
}

function recipientAction(directory: MailDirectory, recipient: string): MaybePromise<string> {
  return after(directory.hasRecipient(recipient), (exists) => (exists === false ? UNKNOWN_RECIPIENT : 'DUNNO'));
}

/** Returns the refusal of a user whose account has been closed since the login. */
function refuseUser(error: unknown): string {
  const isThrottled = error instanceof LoginDenied && error.reason === 'too-many';
  if (error instanceof UnauthorizedLogin || (error instanceof LoginDenied && !isThrottled)) return CLOSED_ACCOUNT;
  throw error;
}

/**
 * The states in which Postfix names no sender. All others, also ones that later releases may name,
 * have a sender to judge. Postfix 3.7 names DATA for BDAT too.
 */
const STATES_WITHOUT_SENDER: ReadonlySet<string> = new Set(['CONNECT', 'HELO', 'EHLO', 'VRFY', 'ETRN']);

const SENDER_OF_OTHERS = '553 5.7.1 Sender address not owned by the logged-in user';
const UNKNOWN_RECIPIENT = '550 5.1.1 User unknown';
const CLOSED_ACCOUNT = '554 5.7.1 The account of the logged-in user is closed';
