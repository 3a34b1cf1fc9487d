/** Disposes of the thing if it can be. An error, or taking too long, is an error that begins with the name. */
export async function dispose(thing: object, name: string): Promise<void> {
  const { [Symbol.asyncDispose]: asyncDispose, [Symbol.dispose]: syncDispose } = thing as Partial<
    AsyncDisposable & Disposable
  >;
  const method = asyncDispose ?? syncDispose;
  if (method === undefined) return;
  const late = Promise.withResolvers<never>();
  using _timer = setTimeout(() => late.reject(new Error(`took longer than ${LONGEST} ms`)), LONGEST);
  const end = async (): Promise<void> => method.call(thing as AsyncDisposable & Disposable);
  try {
    await Promise.race([end(), late.promise]);
  } catch (cause) {
    throw new Error(`${name}: could not be disposed of: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
}

/** Milliseconds. */
const LONGEST = 10_000;
