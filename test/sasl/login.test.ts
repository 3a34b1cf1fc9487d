import { UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { login } from '@postern/sasl';
import { loginResponder, SaslFailure } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { said, scripted, someMind } from './exchange.ts';

describe('the LOGIN challenger', () => {
  it('asks with the prompts that every client understands', async () => {
    const ask = scripted('tim', 'secret');
    const credentials = await login().challenge(ask, undefined, someMind());
    expect(ask.asked.map((asked) => Buffer.from(asked).toString('base64'))).toEqual(['VXNlcm5hbWU6', 'UGFzc3dvcmQ6']);
    expect(credentials).toBeInstanceOf(UsernamePassword);
    expect(credentials).toMatchObject({ username: 'tim', password: 'secret', authzid: undefined });
  });

  it('asks with the prompts that the operator wants', async () => {
    const ask = scripted('tim', 'secret');
    await login({ usernamePrompt: 'Who?', passwordPrompt: 'Really?' }).challenge(ask, undefined, someMind());
    expect(ask.asked).toEqual(['Who?', 'Really?']);
  });

  it('takes an initial response for the user name', async () => {
    const ask = scripted('secret');
    const credentials = await login().challenge(ask, Buffer.from('tim'), someMind());
    expect(ask.asked).toEqual(['Password:']);
    expect(credentials).toMatchObject({ username: 'tim', password: 'secret' });
  });

  it('prepares both, and keeps the password as sent', async () => {
    const credentials = await login().challenge(scripted('ª', 'Ⅸ'), undefined, someMind());
    expect(credentials).toMatchObject({ username: 'a', password: 'Ⅸ', preparedPassword: 'IX' });
  });

  it.each([
    ['an empty user name', ''],
    ['NUL in the user name', 'tim\0'],
    ['invalid UTF-8', Uint8Array.of(0xff)],
  ])('takes %s for a name that nobody has, and asks for the password all the same', async (_what, username) => {
    const ask = scripted(username, 'secret');
    await expect(login().challenge(ask, undefined, someMind())).rejects.toThrow(UnauthorizedLogin);
    expect(ask.asked).toEqual(['Username:', 'Password:']);
  });
});

describe('the LOGIN responder', () => {
  it('answers whatever prompts there are', async () => {
    const responder = loginResponder({ username: 'tim', password: 'secret' });
    expect(await said(responder, ['Username:', 'Password:', undefined])).toEqual([undefined, 'tim', 'secret']);
    expect(await said(responder, ['User Name\0', '', undefined])).toEqual([undefined, 'tim', 'secret']);
  });

  it.each([
    ['success at once', [undefined]],
    ['success without the password', ['Username:', undefined]],
    ['a third prompt', ['Username:', 'Password:', 'PIN:']],
  ])('fails at %s', async (_what, challenges) => {
    const responder = loginResponder({ username: 'tim', password: 'secret' });
    await expect(said(responder, challenges)).rejects.toThrow(SaslFailure);
  });
});
