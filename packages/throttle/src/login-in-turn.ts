import type { Credentials } from '@postern/cred';
import type { Permit } from './keyed-semaphore.ts';
import type { LoginKeys } from './login-keys.ts';
import type { ObservedMind } from './observed-mind.ts';

/** A login that waits for its turn, for the store or for the checker. */
export class LoginInTurn<C extends Credentials> {
  readonly credentials: C;
  readonly mind: ObservedMind;
  readonly keys: LoginKeys;
  readonly permit: Permit;
  /** The failures of the user from the network when the login was admitted. */
  failures = 0;

  constructor(credentials: C, mind: ObservedMind, keys: LoginKeys, permit: Permit) {
    this.credentials = credentials;
    this.mind = mind;
    this.keys = keys;
    this.permit = permit;
  }
}
