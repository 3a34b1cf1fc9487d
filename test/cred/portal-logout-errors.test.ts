import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal, UsernamePassword } from '@postern/cred';
import { testMind } from '@postern/testing';
import { expect, onTestFinished, test, vi } from 'vitest';

class Avatar {
  async [Symbol.asyncDispose](): Promise<void> {
    throw new Error('cannot leave');
  }
}

/** Returns a portal with two logins whose logouts fail. */
async function crowded(options: ConstructorParameters<typeof Portal>[1] = {}): Promise<Portal> {
  const realm = new AvatarRealm().provide(Avatar, () => new Avatar());
  const users = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' });
  const portal = new Portal(realm, options).register(users);
  for (let times = 0; times < 2; times++) {
    await portal.login(new UsernamePassword('ann', 'secret'), testMind(), Avatar);
  }
  return portal;
}

test('logouts that fail in a drain are one process warning with each error', async () => {
  const emitted = vi.spyOn(process, 'emitWarning').mockReturnValue();
  onTestFinished(() => emitted.mockRestore());
  await (await crowded()).drain();
  expect(emitted).toHaveBeenCalledExactlyOnceWith(
    expect.objectContaining({
      message: '2 logouts failed',
      errors: [new Error('cannot leave'), new Error('cannot leave')],
    }),
  );
});

test('errors of logouts go to onLogoutErrors', async () => {
  const heard: AggregateError[] = [];
  await (await crowded({ onLogoutErrors: (errors) => heard.push(errors) })).drain();
  expect(heard.map(({ errors }) => errors.length)).toEqual([2]);
});

test('logouts that succeed cause no warning', async () => {
  const errors: AggregateError[] = [];
  let logouts = 0;
  class SecondFails {
    async [Symbol.asyncDispose](): Promise<void> {
      if (++logouts === 2) throw new Error('cannot leave');
    }
  }
  const realm = new AvatarRealm().provide(SecondFails, () => new SecondFails());
  const users = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' });
  const portal = new Portal(realm, { onLogoutErrors: (error) => errors.push(error) }).register(users);
  const login = () => portal.login(new UsernamePassword('ann', 'secret'), testMind(), SecondFails);
  await login();
  await portal.logoutAll();
  expect(errors).toEqual([]);
  await login();
  await login();
  await portal.logoutAll();
  expect(errors.map((error) => error.errors)).toEqual([[new Error('cannot leave')]]);
});
