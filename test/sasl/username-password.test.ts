import {
  AvatarRealm,
  InMemoryUsernamePasswordDatabaseDontUse,
  PasswordProof,
  Portal,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { encodeUtf8, login, plain, scram, usernamePassword } from '@postern/sasl';
import { scramResponder } from '@postern/sasl/client';
import { exchange } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { initially, scripted, someMind } from './exchange.ts';

class Mailbox {}

const received = (password: string | Uint8Array) =>
  usernamePassword(encodeUtf8('joe'), typeof password === 'string' ? encodeUtf8(password) : password);

const KEPT = [
  ['Hebrew, then digits, which the bidirectional rule forbids', '\u05e9\u05dc\u05d5\u05dd123'],
  ['a private-use character, such as the apple of a Mac keyboard', 'pass\uf8ff'],
  ['a tab', 'a\tb'],
  ['a token of 4,096 octets', 'x'.repeat(4096)],
  ['a character that Unicode 3.2 does not assign', 'pass\u{1f600}'],
  ['only what SASLprep maps to nothing', '\u00ad'],
] as const;

const IMPOSSIBLE = [
  ['an empty one', new Uint8Array()],
  ['one with NUL', encodeUtf8('se\0cret')],
  ['one of 4,097 octets', encodeUtf8('x'.repeat(4097))],
  ['one of 4,097 octets in fewer characters', encodeUtf8(`x${'\u00e4'.repeat(2048)}`)],
  ['one in ISO 8859-1', Uint8Array.of(0x70, 0xe4, 0x73, 0x73)],
  ['one with a surrogate', Uint8Array.of(0xed, 0xa0, 0x80)],
] as const;

describe('a password as a client sends it', () => {
  it.each(KEPT)('is kept although SASLprep refuses it: %s', (_what, password) => {
    const credentials = received(password);
    expect(credentials.password).toBe(password);
    expect(credentials.checkPassword(password)).toBe(true);
    expect(credentials.checkPassword(`${password}x`)).toBe(false);
  });

  it('is right in both forms if SASLprep changes it', () => {
    const credentials = received('I\u00adX\u00aa');
    expect(credentials).toMatchObject({ password: 'I\u00adX\u00aa', preparedPassword: 'IXa' });
    expect(credentials.checkPassword('I\u00adX\u00aa')).toBe(true);
    expect(credentials.checkPassword('IXa')).toBe(true);
    expect(credentials.checkPassword('IX\u00aa')).toBe(false);
  });

  it.each(IMPOSSIBLE)('is replaced by a random one if it cannot be right: %s', (_what, octets) => {
    const credentials = received(octets);
    const text = Buffer.from(octets).toString();
    for (const password of [text, text.replaceAll('\0', ''), '']) {
      expect(credentials.checkPassword(password)).toBe(false);
    }
    expect(credentials.password).toMatch(/^[\w-]{43}$/);
    expect(credentials.preparedPassword).toBe(credentials.password);
  });

  it('has one replacement, so that a throttle counts one guess', () => {
    expect(received('').password).toBe(received('se\0cret').password);
  });

  it('reaches the checker for all octets that PLAIN can carry', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), async (octets) => {
        const password = octets.filter((octet) => octet !== 0);
        const message = Buffer.concat([encodeUtf8('\0joe\0'), password]);
        expect(await initially(plain(), message)).toHaveProperty('username', 'joe');
      }),
    );
  });

  it('is the same in PLAIN and LOGIN', async () => {
    for (const [, password] of KEPT) {
      const byPlain = await initially(plain(), `\0joe\0${password}`);
      const byLogin = await login().challenge(scripted('joe', password), undefined, someMind());
      expect([byLogin.password, byLogin.preparedPassword]).toEqual([byPlain.password, byPlain.preparedPassword]);
    }
  });
});

describe('verifyPassword', () => {
  it('tries the prepared form first, and the form as sent if that is wrong', async () => {
    const verify = vi.fn((password: string) => password === 'I\u00adX');
    expect(await received('I\u00adX').verifyPassword(verify)).toBe(true);
    expect(verify.mock.calls).toEqual([['IX'], ['I\u00adX']]);
  });

  it('tries once if both forms are the same', async () => {
    const verify = vi.fn(async () => false);
    expect(await received('secret').verifyPassword(verify)).toBe(false);
    expect(verify).toHaveBeenCalledTimes(1);
  });

  it('does not try the second form if the first is right', () => {
    const verify = vi.fn(() => true);
    expect(received('I\u00adX').verifyPassword(verify)).toBe(true);
    expect(verify).toHaveBeenCalledTimes(1);
  });
});

describe('SCRAM', () => {
  it.each(KEPT)('accepts a password that SASLprep refuses, unprepared: %s', async (_what, password) => {
    const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: password });
    const portal = new Portal(new AvatarRealm().provide(Mailbox, () => new Mailbox())).register(users);
    const client = scramResponder({ hash: 'sha256', username: 'joe', password });
    const { server } = await exchange(scram({ hash: 'sha256', iterations: 4096 }), client, {
      portal,
      interfaces: [Mailbox],
    });
    expect(server).toMatchObject({ login: { avatarId: 'joe' } });
  });
});

describe('the database in memory', () => {
  const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: '\u05e9\u05dc\u05d5\u05dd123', ann: '' });

  it('accepts a right password that SASLprep refuses', async () => {
    expect(await users.requestAvatarId(received('\u05e9\u05dc\u05d5\u05dd123'))).toBe('joe');
  });

  it('refuses an empty password, also for a user with an empty one', () => {
    const ann = usernamePassword(encodeUtf8('ann'), new Uint8Array());
    expect(() => users.requestAvatarId(ann)).toThrow(UnauthorizedLogin);
  });

  it('compares as often for an unknown user', () => {
    const compared = vi.spyOn(UsernamePassword.prototype, 'checkPassword');
    expect(() => users.requestAvatarId(usernamePassword(encodeUtf8('bob'), encodeUtf8('x')))).toThrow(
      UnauthorizedLogin,
    );
    expect(() => users.requestAvatarId(received('x'))).toThrow(UnauthorizedLogin);
    expect(compared).toHaveBeenCalledTimes(2);
    compared.mockRestore();
  });

  it('judges both forms as it judges each PasswordProof', () => {
    expect(received('x')).toBeInstanceOf(PasswordProof);
  });
});
