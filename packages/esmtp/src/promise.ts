import type { MaybePromise } from '@postern/cred';

/** True if it has to be waited for. */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return value instanceof Promise || typeof (value as PromiseLike<T> | undefined)?.then === 'function';
}

/** Goes on with what the work comes to: at once, if it is there. */
export function after<T, U>(work: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return isPromise(work) ? work.then(next) : next(work);
}
