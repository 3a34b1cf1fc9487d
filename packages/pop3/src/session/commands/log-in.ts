import { isPromise, type MaybePromise } from '@postern/core';
import type { Challenger } from '@postern/sasl';
import { type LoginOutcome, Refusal } from '@postern/sasl-profile';
import { replyForLogin, TOO_MANY_LOGIN_FAILURES } from '../../error-replies.ts';
import { MailboxInUse } from '../../errors.ts';
import { Mailbox } from '../../mailbox.ts';
import type { Verb } from '../../protocol/command.ts';
import type { State } from '../state.ts';

/**
 * Runs an exchange and logs the client in: the one way for AUTH, PASS and APOP, so that the same
 * throttle, delays and limits hold for all. Returns the reply of a login that has succeeded.
 *
 * @throws Refusal for any other outcome.
 */
export function logIn(
  state: State,
  verb: Verb,
  challenger: Challenger,
  initialResponse: string | undefined,
): MaybePromise<string> {
  const outcome = state.logIn({
    challenger,
    interfaces: AVATARS,
    initialResponse,
    prompt,
    maxResponse: state.settings.limits.maxExchangeLine,
    replyFor: replyForLogin,
  });
  if (!isPromise(outcome)) return replyTo(outcome, state, verb, challenger);
  return outcome.then((later) => replyTo(later, state, verb, challenger));
}

function replyTo(outcome: LoginOutcome<Mailbox>, state: State, verb: Verb, { mechanism }: Challenger): string {
  if ('login' in outcome) {
    const { login } = outcome;
    state.setLogin(login);
    state.report({ mind: state.mind, kind: 'authenticated', mechanism, avatarId: login.avatarId });
    const { count, octets } = state.openMaildrop;
    return `+OK maildrop has ${count} messages (${octets} octets)`;
  }
  const { error, isTooMany, hasLostSync } = outcome;
  // A locked mailbox is nobody's error.
  const isInUse = error instanceof MailboxInUse;
  if (error.culprit !== 'client' && !isInUse) state.reportError(error.culprit, verb, error);
  const reply = isTooMany ? TOO_MANY_LOGIN_FAILURES : replyForLogin(error);
  const reported = error.culprit === 'client' && !isTooMany;
  throw new Refusal(reply, { closes: isTooMany || hasLostSync, counts: false, reported });
}

/** RFC 5034 §4: an empty challenge is a `+` and a space. */
function prompt(base64: string): string {
  return `+ ${base64}`;
}

const AVATARS = [Mailbox] as const;
