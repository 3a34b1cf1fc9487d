/**
 * Disposes of the resource, if it has `Symbol.asyncDispose` or `Symbol.dispose`. Rejects with an Error that begins with `name` if the
 * disposal fails or takes more than 10,000 milliseconds.
 */
export async function dispose(resource: object, name: string): Promise<void> {
  const { [Symbol.asyncDispose]: asyncDispose, [Symbol.dispose]: syncDispose } = resource as Partial<
    AsyncDisposable & Disposable
  >;
  const method = asyncDispose ?? syncDispose;
  if (method === undefined) return;
  const late = Promise.withResolvers<never>();
  using _timer = setTimeout(() => late.reject(new Error(`took longer than ${DISPOSE_TIMEOUT} ms`)), DISPOSE_TIMEOUT);
  const end = async (): Promise<void> => method.call(resource as AsyncDisposable & Disposable);
  try {
    await Promise.race([end(), late.promise]);
  } catch (cause) {
    throw new Error(`${name}: could not be disposed of: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** Milliseconds. */
const DISPOSE_TIMEOUT = 10_000;
