import { inspect } from 'node:util';
import { UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { decodeBase64, MalformedResponse, plain } from '@postern/sasl';
import { plainResponder, SaslFailure } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { initially, said, scripted, someMind } from './exchange.ts';

describe('the PLAIN challenger', () => {
  it('reads the first example of RFC 4616 §4, after an empty challenge', async () => {
    const ask = scripted('\0tim\0tanstaaftanstaaf');
    const credentials = await plain().challenge(ask, undefined, someMind());
    expect(ask.asked).toEqual(['']);
    expect(credentials).toBeInstanceOf(UsernamePassword);
    expect(credentials).toMatchObject({ username: 'tim', password: 'tanstaaftanstaaf', authzid: undefined });
  });

  it('reads the second example of RFC 4616 §4, with an authorization identity', async () => {
    const credentials = await initially(plain(), 'Ursel\0Kurt\0xipj3plmq');
    expect(credentials).toMatchObject({ username: 'Kurt', password: 'xipj3plmq', authzid: 'Ursel' });
  });

  it('returns no authorization identity for the example of RFC 4954 §4.1, since both are equal', async () => {
    const credentials = await initially(plain(), decodeBase64('dGVzdAB0ZXN0ADEyMzQ=') as Uint8Array);
    expect(credentials).toMatchObject({ username: 'test', password: '1234', authzid: undefined });
  });

  it.each([
    ['no message', ''],
    ['no NUL', 'tim'],
    ['one NUL', 'tim\0secret'],
    ['three NULs', '\0tim\0secret\0'],
    ['four NULs', '\0\0tim\0secret\0'],
    ['nothing but the user name and a NUL', 'tim\0'],
  ])('refuses %s', async (_what, message) => {
    await expect(initially(plain(), message)).rejects.toThrow(MalformedResponse);
  });

  it.each([
    ['an empty user name', '\0\0secret'],
    ['a user name that prepares to nothing', '\0\u00ad\0secret'],
    ['a user name of more than 1,024 octets', `\0${'u'.repeat(1025)}\0secret`],
    ['an authorization identity that prepares to nothing', '\u00ad\0tim\0secret'],
    ['a control character in the user name', '\0ti\u0007m\0secret'],
    ['a control character in the authorization identity', 'a\nb\0tim\0secret'],
    ['invalid UTF-8 in the user name', Uint8Array.of(0, 0xff, 0, 0x70)],
    ['an overlong NUL', Uint8Array.of(0, 0x74, 0xc0, 0x80, 0, 0x70)],
  ])('refuses %s like a wrong password', async (_what, message) => {
    await expect(initially(plain(), message)).rejects.toThrow(UnauthorizedLogin);
  });

  it('quotes nothing of a message that it refuses', async () => {
    const refusal = await initially(plain(), 'hunter2').catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(MalformedResponse);
    expect(inspect(refusal)).not.toContain('hunter2');
  });

  it.each([1, 2, 3, 4])('accepts fields of 255 octets, in characters of %i octets', async (octets) => {
    const character = ['a', 'ß', '字', '𐍈'][octets - 1] as string;
    const field = character.repeat(Math.floor(255 / octets)).padEnd(1, 'a') + 'a'.repeat(255 % octets);
    const authzid = `${field.slice(0, -1)}b`;
    const credentials = await initially(plain(), `${authzid}\0${field}\0${field}`);
    expect(credentials).toMatchObject({ username: field, password: field, authzid });
  });

  it('prepares the names as query strings, and keeps the password in both forms', async () => {
    // SASLprep applies NFKC, deletes a soft hyphen and maps a no-break space to a space.
    // Unicode 3.2 does not assign U+0221.
    const credentials = await initially(plain(), 'Ⅸ\u0221\0ª\u00ad\0a\u00a0b');
    expect(credentials).toMatchObject({
      authzid: 'IX\u0221',
      username: 'a',
      password: 'a\u00a0b',
      preparedPassword: 'a b',
    });
  });

  it('compares the prepared identities, and omits an authorization identity that is the user', async () => {
    expect(await initially(plain(), 'ª\0a\0secret')).toHaveProperty('authzid', undefined);
  });
});

describe('the PLAIN responder', () => {
  it('sends the examples of RFC 4616 §4', async () => {
    const tim = plainResponder({ username: 'tim', password: 'tanstaaftanstaaf' });
    expect(await said(tim, [undefined])).toEqual(['\0tim\0tanstaaftanstaaf']);
    const kurt = plainResponder({ username: 'Kurt', password: 'xipj3plmq', authzid: 'Ursel' });
    expect(await said(kurt, [undefined])).toEqual(['Ursel\0Kurt\0xipj3plmq']);
  });

  it('sends the example of RFC 4954 §4.1', async () => {
    const responder = plainResponder({ username: 'test', password: '1234', authzid: 'test' });
    const [message] = await said(responder, [undefined]);
    expect(Buffer.from(message as string).toString('base64')).toBe('dGVzdAB0ZXN0ADEyMzQ=');
  });

  it.each([
    ['an empty user name', { username: '', password: 'x' }],
    ['an empty password', { username: 'x', password: '' }],
    ['NUL in the user name', { username: 'x\0', password: 'x' }],
    ['NUL in the password', { username: 'x', password: 'x\0y' }],
    ['NUL in the authorization identity', { username: 'x', password: 'x', authzid: '\0' }],
    ['a lone surrogate', { username: 'x', password: '\ud800' }],
  ])('sends nothing for %s', async (_what, options) => {
    let spoke = false;
    const exchange = plainResponder(options).respond(
      async () => {
        spoke = true;
        return undefined;
      },
      { tls: undefined, secure: true, offered: [] },
    );
    await expect(exchange).rejects.toThrow(SaslFailure);
    expect(spoke).toBe(false);
  });

  it('fails if the server sends a further challenge', async () => {
    const responder = plainResponder({ username: 'tim', password: 'secret' });
    await expect(said(responder, ['more?'])).rejects.toThrow(SaslFailure);
  });
});
