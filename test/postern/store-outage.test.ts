import { TemporaryFailure, UsernamePassword } from '@postern/cred';
import { InMemoryUserStore } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { StartError } from '../../packages/postern/src/errors.ts';
import { UserStoreChecker } from '../../packages/postern/src/user-store-checker.ts';
import type { OpenUserStore } from '../../packages/postern/src/user-store-spec.ts';

const DOWN = new StartError('cannot open postgres:: refused', { cause: new TemporaryFailure('refused') });

describe('a user store that is down when the server starts', () => {
  it('lets the server start, fails logins temporarily, and opens as soon as it is up', async () => {
    const opened = Promise.withResolvers<OpenUserStore>();
    const attempts = [() => Promise.reject(DOWN), () => Promise.reject(DOWN), () => opened.promise];
    await using store = storeOf(() => (attempts.shift() ?? expect.unreachable())());
    await store.checker.openOrRetry(store.parts, { timeout: 60_000, retryDelay: 1 });
    expect(store.checker.credentialInterfaces).toEqual([UsernamePassword]);
    await expect(store.checker.hasUser('ann')).rejects.toThrow('the user store test: is not open yet');
    opened.resolve(new InMemoryUserStore());
    await expect.poll(() => store.checker.store).toBeInstanceOf(InMemoryUserStore);
    expect(await store.checker.hasUser('ann')).toBe(false);
    // The second attempt fails for the same reason, which is no news.
    expect(store.errors).toEqual(['test: StartError: cannot open postgres:: refused']);
  });

  it('lets the server start if it hangs', async () => {
    const opened = Promise.withResolvers<OpenUserStore>();
    await using store = storeOf(() => opened.promise);
    await store.checker.openOrRetry(store.parts, { timeout: 1, retryDelay: 1 });
    expect(store.checker.credentialInterfaces).toEqual([UsernamePassword]);
    expect(store.errors).toEqual(['test: TemporaryFailure: not open after 1 ms']);
    opened.resolve(new InMemoryUserStore());
    await expect.poll(() => store.checker.store).toBeInstanceOf(InMemoryUserStore);
  });

  it('keeps the server from starting if it can never be used', async () => {
    const unusable = new StartError('cannot open postgres:: not in UTF-8');
    await using store = storeOf(() => Promise.reject(unusable));
    await expect(store.checker.openOrRetry(store.parts, { timeout: 60_000, retryDelay: 1 })).rejects.toBe(unusable);
  });

  it('is closed if it opens after the server has closed', async () => {
    const opened = Promise.withResolvers<OpenUserStore>();
    const closed = Promise.withResolvers<string>();
    const store = storeOf(() => opened.promise);
    await store.checker.openOrRetry(store.parts, { timeout: 1, retryDelay: 1 });
    await store[Symbol.asyncDispose]();
    opened.resolve(
      Object.assign(new InMemoryUserStore(), { [Symbol.asyncDispose]: async () => closed.resolve('closed') }),
    );
    expect(await closed.promise).toBe('closed');
  });
});

function storeOf(open: () => Promise<OpenUserStore>) {
  const errors: string[] = [];
  const checker = new UserStoreChecker({
    name: 'test:',
    readsFiles: false,
    isEditable: false,
    keepsScramKey: false,
    open,
  });
  const logError = (name: string, error: unknown) => void errors.push(`${name} ${String(error)}`);
  return {
    checker,
    errors,
    parts: { options: {}, cache: undefined, logError },
    [Symbol.asyncDispose]: () => checker[Symbol.asyncDispose](),
  };
}
