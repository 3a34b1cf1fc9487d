import { isPromise, type MaybePromise } from '@postern/core';
import type { LoginError } from '@postern/cred';
import type { Challenger, ExchangeError } from '@postern/sasl';
import type { LoginOutcome } from '@postern/sasl-profile';
import { MessageDelivery } from '../../delivery.ts';
import { replyForLogin, TOO_MANY_LOGIN_FAILURES, UNKNOWN_MECHANISM } from '../../error-replies.ts';
import { customRefusal } from '../../login-rejection.ts';
import type { Command } from '../../protocol/command.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/** Runs AUTH (RFC 4954 §4): the SASL exchange, and the login of the client. */
export function auth(state: State, command: Extract<Command, { verb: 'AUTH' }>): MaybePromise<Reply> {
  if (state.authenticated) return ALREADY;
  const challenger = state.mechanismOffer.choose(command.mechanism, state.mind);
  if (challenger === 'needs-tls') return NEEDS_TLS;
  if (challenger === 'not-offered') return UNKNOWN_MECHANISM;
  const loggedOut = state.login === undefined ? undefined : state.logout('reset');
  const outcome =
    loggedOut === undefined
      ? logIn(state, challenger, command.initialResponse)
      : loggedOut.then(() => logIn(state, challenger, command.initialResponse));
  if (!isPromise(outcome)) return replyTo(outcome, state, challenger);
  return outcome.then((later) => replyTo(later, state, challenger));
}

function logIn(
  state: State,
  challenger: Challenger,
  initialResponse: string | undefined,
): MaybePromise<LoginOutcome<MessageDelivery>> {
  return state.logIn({
    challenger,
    interfaces: AVATARS,
    initialResponse,
    prompt,
    maxResponse: state.limits.maxExchangeLine,
    allowUnpadded: state.tolerance.unpaddedBase64,
    replyFor: replyForLogin,
    closesConnection,
  });
}

function replyTo(outcome: LoginOutcome<MessageDelivery>, state: State, { mechanism }: Challenger): Reply {
  if ('login' in outcome) {
    state.setLogin(outcome.login);
    state.report({ mind: state.mind, kind: 'authenticated', mechanism, avatarId: outcome.login.avatarId });
    return OK;
  }
  const { error, isTooMany, hasLostSync } = outcome;
  if (error.culprit !== 'client') state.reportError(error.culprit, 'AUTH', error);
  if (hasLostSync || closesConnection(error)) state.closeReason = 'disconnected';
  return isTooMany ? TOO_MANY_LOGIN_FAILURES : replyForLogin(error);
}

/** RFC 4954 §4: an empty challenge is the code and a space. */
function prompt(base64: string): string {
  return `334 ${base64}`;
}

/** A checker's own reply may end the connection. */
function closesConnection(error: LoginError | ExchangeError): boolean {
  return customRefusal(error)?.disconnect === true;
}

const AVATARS = [MessageDelivery] as const;
const OK = new Reply(235, '2.7.0', 'Authentication succeeded');
const ALREADY = new Reply(503, '5.5.1', 'Authenticated already');
const NEEDS_TLS = new Reply(538, '5.7.11', 'Encryption required for requested authentication mechanism');
