import { isPromise } from '@postern/cred';

/** Drops what somebody who was only told of something fails with later: nothing waits for it, and nothing may end by it. */
export function drop(outcome: unknown): void {
  if (isPromise(outcome)) outcome.then(undefined, () => {});
}
