/** Returns an object with a `then` that returns nothing, and without `catch` and `finally`. */
export function thenable<T>(outcome: { readonly value: T } | { readonly error: unknown }): Promise<T> {
  const object = {};
  const then = (resolve: (value: T) => void, reject: (error: unknown) => void): void => {
    queueMicrotask(() => ('value' in outcome ? resolve(outcome.value) : reject(outcome.error)));
  };
  // Linters forbid a `then` in a literal.
  Reflect.set(object, 'then', then);
  return object as Promise<T>;
}
