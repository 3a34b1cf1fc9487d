import type { MaybePromise } from '@postern/core';
import { usernamePassword } from '@postern/sasl';
import { Refusal, readyChallenger } from '@postern/sasl-profile';
import { NEEDS_TLS } from '../../error-replies.ts';
import type { CommandOf } from '../../protocol/command.ts';
import { USER } from '../login-commands.ts';
import type { State } from '../state.ts';
import { authenticate } from './auth.ts';

/**
 * USER (RFC 1939 §7). The reply is the same for each name. A client that may not send its password
 * learns so before it does (RFC 8314 §4.1).
 */
export function user(state: State, { name }: CommandOf<'USER'>): string {
  requireUser(state);
  state.username = name;
  return '+OK send PASS';
}

/** PASS (RFC 1939 §7). Each PASS needs a USER before it. */
export function pass(state: State, { password }: CommandOf<'PASS'>): MaybePromise<string> {
  requireUser(state);
  const name = state.username;
  if (name === undefined) throw new Refusal('-ERR send USER first');
  state.username = undefined;
  return authenticate(
    state,
    'PASS',
    readyChallenger(USER, () => usernamePassword(name, password)),
  );
}

function requireUser(state: State): void {
  const obstacle = state.obstacleTo(USER);
  if (obstacle !== undefined) throw new Refusal(obstacle === 'needs-tls' ? NEEDS_TLS : '-ERR USER is not available');
}
