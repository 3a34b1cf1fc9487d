import { isPromise } from '@postern/core';

/** Waits for nothing that a hook returns: an error that it rejects with later goes to `onError`, and ends nothing. */
export function drop(outcome: unknown, onError: (error: unknown) => void = () => {}): void {
  if (isPromise(outcome)) outcome.then(undefined, onError);
}
