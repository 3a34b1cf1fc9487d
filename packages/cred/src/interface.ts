/** An interface that exists at run time: the class, often abstract, that declares it. */
export type Interface<T = unknown> = abstract new (...args: never[]) => T;

/** What objects of an interface are: `InstanceOf<typeof UsernamePassword>` is `UsernamePassword`. */
export type InstanceOf<I extends Interface> = I extends Interface<infer T> ? T : never;

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

/** True if every object of `derived` is also one of `base`, that is, if it is that class or extends it. */
export function isDerived(derived: Interface, base: Interface): boolean {
  return derived === base || derived.prototype instanceof base;
}
