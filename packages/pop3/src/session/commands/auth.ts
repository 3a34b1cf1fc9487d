import { isPromise, type MaybePromise } from '@postern/core';
import type { Challenger } from '@postern/sasl';
import { runAuth } from '@postern/sasl-profile';
import { loginReplies } from '../../error-replies.ts';
import type { CommandOf } from '../../protocol/command.ts';
import type { State } from '../state.ts';

/**
 * AUTH (RFC 5034 §4). Without a mechanism it lists the mechanisms, as older servers do and Outlook
 * asks for.
 */
export function auth(state: State, { mechanism, initialResponse }: CommandOf<'AUTH'>): MaybePromise<string> {
  if (mechanism === undefined) return ['+OK', ...state.mechanisms, '.'].join('\r\n');
  return authenticate(state, 'AUTH', mechanism, initialResponse);
}

/**
 * Logs the client in: the one way for AUTH, PASS and APOP, so that the same throttle, delays and
 * limits hold for all.
 *
 * @throws Refusal for a client that is not logged in.
 */
export function authenticate(
  state: State,
  verb: 'AUTH' | 'PASS' | 'APOP',
  mechanism: string | Challenger,
  initialResponse?: string,
): MaybePromise<string> {
  const done = runAuth(state, {
    verb,
    mechanism,
    initialResponse,
    prompt,
    replyFor: (refusal) => loginReplies[refusal],
  });
  return isPromise(done) ? done.then(() => state.welcome) : state.welcome;
}

/** RFC 5034 §4: an empty challenge is a `+` and a space. */
function prompt(base64: string): string {
  return `+ ${base64}`;
}
