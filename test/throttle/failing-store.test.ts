import { AvatarRealm, Portal, TemporaryFailure, UsernamePassword } from '@postern/cred';
import { type FailureCounts, InMemoryFailureCounts } from '@postern/throttle';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../cred/support.ts';
import { guarded, HERE, limits, refused, tooMany } from './support.ts';

describe('the store of a throttle', () => {
  /** A store on another machine: each method returns a promise. */
  class RemoteCounts implements FailureCounts {
    readonly keys = new Set<string>();
    readonly #counts = new InMemoryFailureCounts();
    async get(key: string): Promise<number> {
      this.keys.add(key);
      return this.#counts.get(key);
    }
    async add(key: string, window: number): Promise<void> {
      this.#counts.add(key, window);
    }
    async reset(key: string): Promise<void> {
      this.#counts.reset(key);
    }
  }

  it('may be asynchronous and shared by several throttles', async () => {
    const counts = new RemoteCounts();
    const [one, other] = [guarded({ ...limits, counts }), guarded({ ...limits, counts })];
    for (const { guess } of [one, other, one]) expect(await guess('joe')).toEqual(refused);
    expect(await other.guess('joe')).toEqual(tooMany);
  });

  it('gets no user names, which may be passwords in the wrong field, and no passwords', async () => {
    const counts = new RemoteCounts();
    const { login } = guarded({ ...limits, counts });
    await login('correct horse', 'battery staple').catch(() => {});
    expect(counts.keys.size).toBe(3);
    for (const key of counts.keys) expect(key).not.toMatch(/correct|horse|battery|staple/);
  });

  it('gets keys of printable ASCII that begin with what they count', async () => {
    const counts = new RemoteCounts();
    const { guess } = guarded({ ...limits, counts });
    await guess('josé', mindOf({ family: 'IPv6', address: '2001:db8::1' }));
    const keys = [...counts.keys];
    const kinds = keys.map((key) => key.split(':', 1)[0]);
    expect(new Set(kinds)).toEqual(new Set(['network', 'site', 'user', 'user+network']));
    for (const key of keys) expect(key).toMatch(/^[!-~]+$/);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::FFFF:c000:201', '192.0.2.1'],
    ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
    ['64:ff9b::192.0.2.1', '192.0.2.1'],
    ['64:ff9b:1::c000:201', '64:ff9b:1:0::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['2001:0DB8:0000:0000:1:2:3:4', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['1::2:3:4:5:6:7', '1:0:2:3::/64'],
  ])('gets the network of %s: %s', async (address, network) => {
    const counts = new RemoteCounts();
    const family = address.includes(':') ? 'IPv6' : 'IPv4';
    await guarded({ counts }).login('joe', 's3cret', mindOf({ family, address }));
    expect([...counts.keys].find((key) => key.startsWith('network:'))).toBe(`network:${network}`);
  });

  it.each(['get', 'add', 'reset'] as const)(
    'that is down in %s fails the login for now, and gives no verdict',
    async (method) => {
      const counts = new RemoteCounts();
      const { checker, guess } = guarded({ ...limits, counts });
      await guess('joe');
      Object.assign(counts, { [method]: () => Promise.reject(new Error('connection refused')) });
      class Avatar {}
      const portal = new Portal(new AvatarRealm().provide(Avatar, () => new Avatar())).register(checker);
      const password = method === 'add' ? 'wrong' : 's3cret';
      const login = portal.login(new UsernamePassword('joe', password), HERE, Avatar);
      await expect(login).rejects.toBeInstanceOf(TemporaryFailure);
    },
  );
});
