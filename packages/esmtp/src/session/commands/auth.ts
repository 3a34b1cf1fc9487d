import { isPromise, type MaybePromise } from '@postern/core';
import type { LoginError } from '@postern/cred';
import type { Challenger, ExchangeError } from '@postern/sasl';
import type { FailedLogin } from '@postern/sasl-profile';
import { loginReplies, replyForLogin } from '../../error-replies.ts';
import { customRefusal } from '../../login-rejection.ts';
import type { Command } from '../../protocol/command.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/** Runs AUTH (RFC 4954 §4): the SASL exchange, and the login of the client. */
export function auth(state: State, command: Extract<Command, { verb: 'AUTH' }>): MaybePromise<Reply> {
  if (state.authenticated) return ALREADY;
  const challenger = state.chooseMechanism(command.mechanism);
  if (typeof challenger === 'string') return loginReplies[challenger];
  const loggedOut = state.login === undefined ? undefined : state.logout('reset');
  const outcome =
    loggedOut === undefined
      ? logIn(state, challenger, command.initialResponse)
      : loggedOut.then(() => logIn(state, challenger, command.initialResponse));
  if (!isPromise(outcome)) return outcome?.reply ?? OK;
  return outcome.then((failed) => failed?.reply ?? OK);
}

function logIn(
  state: State,
  challenger: Challenger,
  initialResponse: string | undefined,
): MaybePromise<FailedLogin<Reply> | undefined> {
  return state.logIn({
    verb: 'AUTH',
    challenger,
    initialResponse,
    prompt,
    allowUnpadded: state.tolerance.unpaddedBase64,
    replyFor: replyForLogin,
    tooManyFailures: loginReplies['too-many-failures'],
    closesConnection,
  });
}

/** RFC 4954 §4: an empty challenge is the code and a space. */
function prompt(base64: string): string {
  return `334 ${base64}`;
}

/** A checker's own reply may end the connection. */
function closesConnection(error: LoginError | ExchangeError): boolean {
  return customRefusal(error)?.disconnect === true;
}

const OK = new Reply(235, '2.7.0', 'Authentication succeeded');
const ALREADY = new Reply(503, '5.5.1', 'Authenticated already');
