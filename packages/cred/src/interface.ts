/**
 * An interface that exists at run time: the class, often abstract, that declares it. One
 * declaration serves the compiler, `instanceof` and a container.
 */
export type Interface<T = unknown> = abstract new (...args: never[]) => T;

/** The instances of an interface: `InstanceOf<typeof UsernamePassword>` is `UsernamePassword`. */
export type InstanceOf<I extends Interface> = I extends Interface<infer T> ? T : never;

/** Returns true if `derived` is `base` or extends it. */
export function isDerived(derived: Interface, base: Interface): boolean {
  return derived === base || derived.prototype instanceof base;
}

/** Returns true if the object is an instance of one of the interfaces. */
export function isInstanceOf<I extends readonly Interface<object>[]>(
  object: unknown,
  interfaces: I,
): object is InstanceOf<I[number]> {
  // A closure for `some` would be one more object in each login.
  for (const wanted of interfaces) if (object instanceof wanted) return true;
  return false;
}

/** Returns the names of the interfaces for an error message: `Mailbox, MessageDelivery`. */
export function namesOf(interfaces: readonly Interface[]): string {
  return interfaces.map((wanted) => wanted.name).join(', ');
}

/**
 * Describes a value that is no instance of the expected class, for an error message. An object
 * literal is named as such: it has the right properties and still the wrong class.
 */
export function describeValue(value: unknown): string {
  if (typeof value === 'function') return `the class or function ${value.name}`;
  if (typeof value !== 'object' || value === null) return String(value);
  const made: unknown = Object.getPrototypeOf(value)?.constructor;
  if (made === Object || made === undefined) return 'an object literal';
  return typeof made === 'function' ? `an object of class ${made.name}` : 'an object';
}
