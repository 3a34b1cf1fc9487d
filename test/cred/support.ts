import type { Address, Mind } from '@postern/cred';
import { testMind } from '@postern/testing';

/** A client that comes from there, and leaves when the signal aborts. */
export function mindOf(remote: Partial<Address> = {}, signal: AbortSignal = new AbortController().signal): Mind {
  const mind = testMind({ signal });
  return { ...mind, remote: { ...mind.remote, ...remote } };
}
