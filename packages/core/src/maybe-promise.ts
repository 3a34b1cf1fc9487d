/** A value, or a promise of it: who is asked may answer at once, and who asks must then not wait a turn. */
export type MaybePromise<T> = T | Promise<T>;

/** True if it has to be waited for. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise || typeof (value as PromiseLike<T> | undefined | null)?.then === 'function';
}

/** Goes on with what the work comes to: at once, if it is there. */
export function after<T, U>(work: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return isPromise(work) ? work.then(next) : next(work);
}

/** The same, and something else if the work fails. What `next` fails with is not mended. */
export function settled<T, U>(
  work: () => MaybePromise<T>,
  next: (value: T) => MaybePromise<U>,
  mend: (error: unknown) => MaybePromise<U>,
): MaybePromise<U> {
  let result: MaybePromise<T>;
  try {
    result = work();
  } catch (error) {
    return mend(error);
  }
  return isPromise(result) ? result.then(next, mend) : next(result);
}
