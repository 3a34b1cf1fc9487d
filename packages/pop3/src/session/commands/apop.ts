import type { MaybePromise } from '@postern/core';
import { ApopCredentials, preparedName } from '@postern/sasl';
import { Refusal, readyChallenger } from '@postern/sasl-profile';
import type { CommandOf } from '../../protocol/command.ts';
import { APOP } from '../login-commands.ts';
import type { State } from '../state.ts';
import { authenticate } from './auth.ts';

/** APOP (RFC 1939 §7): a login with a digest of the greeting's timestamp and the password. */
export function apop(state: State, { name, digest }: CommandOf<'APOP'>): MaybePromise<string> {
  const { timestamp } = state;
  if (timestamp === undefined) throw new Refusal('-ERR APOP is not available');
  const credentialsOf = () => new ApopCredentials(preparedName(name, 'user name'), timestamp, digest);
  return authenticate(state, 'APOP', readyChallenger(APOP, credentialsOf));
}
