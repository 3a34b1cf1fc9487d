import { Login, type LogoutReason } from '@postern/cred';
import { settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';

describe('leaving', () => {
  it('is over at once where there is nothing to wait for, and every later call resolves', async () => {
    const reasons: LogoutReason[] = [];
    const login = new Login('ann', {}, (reason) => void reasons.push(reason));
    expect(login.logoutNow('reset')).toBeUndefined();
    await login.logoutNow('quit');
    await login.logout();
    expect(reasons).toEqual(['reset']);
  });

  it('is a promise, and the same for all, where there is something to wait for', async () => {
    const gone = Promise.withResolvers<void>();
    const login = new Login('ann', {}, () => gone.promise);
    const leaving = login.logoutNow();
    expect(leaving).toBeInstanceOf(Promise);
    expect(login.logoutNow()).toBe(leaving);
    gone.resolve();
    await leaving;
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('cannot save');
      },
    ],
    ['rejects', () => Promise.reject(new Error('cannot save'))],
  ])('that %s fails for everybody, and is tried once', async (_how, fail) => {
    let tries = 0;
    const login = new Login('ann', {}, () => {
      tries += 1;
      return fail();
    });
    await expect(Promise.resolve(login.logoutNow())).rejects.toThrow('cannot save');
    await expect(login.logout()).rejects.toThrow('cannot save');
    await expect(login[Symbol.asyncDispose]()).rejects.toThrow('cannot save');
    expect(tries).toBe(1);
  });

  it('does not wait for itself when it is asked for while it begins', async () => {
    const reasons: LogoutReason[] = [];
    const login: Login<object> = new Login('ann', {}, async (reason, self) => {
      reasons.push(reason);
      await self.logout('quit');
      await settle();
    });
    await login.logout('timeout');
    expect(reasons).toEqual(['timeout']);
  });

  it('may be disposed of twice, and after a logout', async () => {
    const reasons: LogoutReason[] = [];
    const login = new Login('ann', {}, (reason) => void reasons.push(reason));
    {
      await using _one = login;
      await using _other = login;
      await login.logout();
    }
    expect(reasons).toEqual(['quit']);
  });

  it('needs nothing to do', async () => {
    expect(new Login('ann', {}).logoutNow()).toBeUndefined();
  });
});
