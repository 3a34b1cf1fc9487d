/**
 * A value or a promise of it. A function that returns the value itself costs its caller no wait.
 */
export type MaybePromise<T> = T | Promise<T>;

/**
 * Returns true for a promise and for any other object with a `then` method. Another object may have
 * no `catch`, and its `then` may return nothing: {@link toPromise} makes a promise of it.
 */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise || typeof (value as PromiseLike<T> | undefined | null)?.then === 'function';
}

/** Returns a promise as it is, and a promise of the result of any other object with `then`. */
export function toPromise<T>(thenable: PromiseLike<T>): Promise<T> {
  return thenable instanceof Promise ? thenable : Promise.resolve(thenable);
}

/** Returns `next(value)`: synchronously for a value, as a promise for a promise. */
export function after<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return isPromise(value) ? toPromise(value).then(next) : next(value);
}

/**
 * Runs `work`, then calls `next` with its result, or `onError` with the error that it threw or
 * rejected with. Synchronous as long as `work` is. An error of `next` does not reach `onError`.
 */
export function settled<T, U>(
  work: () => MaybePromise<T>,
  next: (value: T) => MaybePromise<U>,
  onError: (error: unknown) => MaybePromise<U>,
): MaybePromise<U> {
  let result: MaybePromise<T>;
  try {
    result = work();
  } catch (error) {
    return onError(error);
  }
  return isPromise(result) ? toPromise(result).then(next, onError) : next(result);
}

/**
 * Resolves when the promise is fulfilled or the signal aborts, and leaves no listener on the
 * signal. Rejects with the reason of the promise.
 */
export function orAborted(promise: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  const waiting = Promise.withResolvers<void>();
  const onAbort = (): void => waiting.resolve();
  signal.addEventListener('abort', onAbort, { once: true });
  promise.then(
    () => {
      signal.removeEventListener('abort', onAbort);
      waiting.resolve();
    },
    (error: unknown) => {
      signal.removeEventListener('abort', onAbort);
      waiting.reject(error);
    },
  );
  return waiting.promise;
}
