/** Disposes of it as it wants that, if it does. */
export async function disposeOf(resource: object & Partial<AsyncDisposable & Disposable>): Promise<void> {
  if (Symbol.asyncDispose in resource) await resource[Symbol.asyncDispose]?.();
  else resource[Symbol.dispose]?.();
}
