import type { MaybePromise } from '@postern/core';
import { Refusal } from '@postern/sasl-profile';
import { NEEDS_TLS, UNKNOWN_MECHANISM } from '../../error-replies.ts';
import type { CommandOf } from '../../protocol/command.ts';
import type { State } from '../state.ts';
import { logIn } from './log-in.ts';

/**
 * AUTH (RFC 5034 §4). Without a mechanism it lists the mechanisms, as older servers do and Outlook
 * asks for.
 */
export function auth(state: State, { mechanism, initialResponse }: CommandOf<'AUTH'>): MaybePromise<string> {
  if (mechanism === undefined) return ['+OK', ...state.mechanisms, '.'].join('\r\n');
  const challenger = state.mechanismOffer.choose(mechanism, state.mind);
  if (challenger === 'needs-tls') throw new Refusal(NEEDS_TLS);
  if (challenger === 'not-offered') throw new Refusal(UNKNOWN_MECHANISM);
  return logIn(state, 'AUTH', challenger, initialResponse);
}
