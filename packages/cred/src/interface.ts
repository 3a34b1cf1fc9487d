/** An interface that exists at run time: the class, often abstract, that declares it. */
export type Interface<T = unknown> = abstract new (...args: never[]) => T;

/** What objects of an interface are: `InstanceOf<typeof UsernamePassword>` is `UsernamePassword`. */
export type InstanceOf<I extends Interface> = I extends Interface<infer T> ? T : never;

/** True if every object of `derived` is also one of `base`, that is, if it is that class or extends it. */
export function isDerived(derived: Interface, base: Interface): boolean {
  return derived === base || derived.prototype instanceof base;
}
