import type { MaybePromise } from '@postern/core';
import { usernamePassword } from '@postern/sasl';
import { Refusal } from '@postern/sasl-profile';
import { NEEDS_TLS } from '../../error-replies.ts';
import type { CommandOf } from '../../protocol/command.ts';
import { USER } from '../login-commands.ts';
import type { State } from '../state.ts';
import { logIn } from './log-in.ts';

/**
 * USER (RFC 1939 §7). The reply is the same for each name. A client that may not send its password
 * learns so before it does (RFC 8314 §4.1).
 */
export function user(state: State, { name }: CommandOf<'USER'>): string {
  requireUser(state);
  state.username = name;
  return '+OK send PASS';
}

/** PASS (RFC 1939 §7). A PASS needs a USER of its own. */
export function pass(state: State, { password }: CommandOf<'PASS'>): MaybePromise<string> {
  requireUser(state);
  const name = state.username;
  if (name === undefined) throw new Refusal('-ERR send USER first');
  state.username = undefined;
  return logIn(state, 'PASS', { ...USER, challenge: () => usernamePassword(name, password) }, undefined);
}

function requireUser(state: State): void {
  const offered = state.settings.loginCommands.choose('USER', state.mind);
  if (offered === 'needs-tls') throw new Refusal(NEEDS_TLS);
  if (offered === 'not-offered') throw new Refusal('-ERR USER is not available, use AUTH');
}
