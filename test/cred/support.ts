import type { Address, Mind } from '@postern/cred';
import { testMind } from '@postern/testing';

/** Returns the mind of a client with this address, which disconnects when the signal aborts. */
export function mindOf(remote: Partial<Address> = {}, signal: AbortSignal = new AbortController().signal): Mind {
  const mind = testMind({ signal });
  return { ...mind, remote: { ...mind.remote, ...remote } };
}
