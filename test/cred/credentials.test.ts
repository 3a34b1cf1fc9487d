import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { inspect } from 'node:util';
import {
  Anonymous,
  AvatarRealm,
  InMemoryUsernamePasswordDatabaseDontUse,
  Portal,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mindOf } from './support.ts';

const SECRET = 'correct horse battery staple';

describe('a password', () => {
  const joe = new UsernamePassword('joe', SECRET, 'ann');

  it.each<[string, () => unknown]>([
    ['util.inspect', () => inspect(joe)],
    [
      'util.inspect, asked for everything',
      () => inspect(joe, { showHidden: true, getters: true, depth: null, showProxy: true }),
    ],
    [
      'util.inspect of what holds it',
      () => inspect({ login: [joe] }, { showHidden: true, getters: true, depth: null }),
    ],
    ['JSON.stringify', () => JSON.stringify(joe)],
    ['String', () => String(joe as unknown)],
    ['structuredClone', () => inspect(structuredClone(joe), { showHidden: true, depth: null })],
    ['its own properties', () => Reflect.ownKeys(joe).map((key) => Reflect.get(joe, key))],
    ['a copy', () => inspect(Object.assign({}, joe), { showHidden: true, getters: true })],
    [
      'a database that holds it',
      () => inspect(new InMemoryUsernamePasswordDatabaseDontUse({ joe: SECRET }), { showHidden: true, depth: null }),
    ],
  ])('is not shown by %s', (_how, show) => {
    expect(String(show())).not.toContain(SECRET);
  });

  it('is not shown by console.log, which shows the user name', () => {
    let printed = '';
    const stdout = new Writable({
      write(chunk, _encoding, done) {
        printed += chunk;
        done();
      },
    });
    new Console(stdout).log(joe);
    expect(printed).toBe("UsernamePassword { authzid: 'ann', username: 'joe' }\n");
  });

  it('is not shown by the error of a failed login', async () => {
    class Delivery {}
    const portal = new Portal(new AvatarRealm()).register(new InMemoryUsernamePasswordDatabaseDontUse({ joe: SECRET }));
    for (const credentials of [
      new UsernamePassword('joe', `${SECRET}!`),
      joe,
      new UsernamePassword('joe', SECRET),
      new Anonymous(SECRET),
    ]) {
      const error = await Promise.resolve(portal.login(credentials, mindOf(), Delivery)).catch((thrown) => thrown);
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { showHidden: true, depth: null })).not.toContain(SECRET);
    }
  });

  it('is right only if it is equal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
        const credentials = new UsernamePassword('joe', one);
        expect(credentials.checkPassword(one)).toBe(true);
        expect(credentials.checkPassword(other)).toBe(one === other);
      }),
    );
  });
});

describe('credentials', () => {
  it('have an authorization identity only if the client sends one', () => {
    expect(new UsernamePassword('joe', '').authzid).toBeUndefined();
    expect(new UsernamePassword('joe', '', '').authzid).toBeUndefined();
    expect(new UsernamePassword('joe', '', 'ann').authzid).toBe('ann');
    expect(new Anonymous('trace').authzid).toBeUndefined();
  });

  it('have no closing words by default', async () => {
    const joe = new UsernamePassword('joe', SECRET);
    expect(joe.accepted()).toBeUndefined();
    expect(joe.conclude()).toBeUndefined();
    expect(joe.refused(new UnauthorizedLogin())).toBeUndefined();
  });

  it('call a guard at once if the proof has arrived', async () => {
    let calls = 0;
    const joe = new UsernamePassword('joe', SECRET);
    expect(joe.onProof(() => void calls++)).toBeUndefined();
    expect(calls).toBe(1);
    await expect(joe.onProof(() => Promise.reject(new UnauthorizedLogin()))).rejects.toThrow(UnauthorizedLogin);
  });
});
