import { UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { login } from '@postern/sasl';
import { loginResponder, SaslFailure } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { said, scripted, someMind } from './exchange.ts';

describe('the LOGIN challenger', () => {
  it('sends the prompts that all clients understand', async () => {
    const ask = scripted('tim', 'secret');
    const credentials = await login().challenge(ask, undefined, someMind());
    expect(ask.asked.map((asked) => Buffer.from(asked).toString('base64'))).toEqual(['VXNlcm5hbWU6', 'UGFzc3dvcmQ6']);
    expect(credentials).toBeInstanceOf(UsernamePassword);
    expect(credentials).toMatchObject({ username: 'tim', password: 'secret', authzid: undefined });
  });

  it('sends the prompts of the operator', async () => {
    const ask = scripted('tim', 'secret');
    await login({ usernamePrompt: 'Who?', passwordPrompt: 'Really?' }).challenge(ask, undefined, someMind());
    expect(ask.asked).toEqual(['Who?', 'Really?']);
  });

  it('reads an initial response as the user name', async () => {
    const ask = scripted('secret');
    const credentials = await login().challenge(ask, Buffer.from('tim'), someMind());
    expect(ask.asked).toEqual(['Password:']);
    expect(credentials).toMatchObject({ username: 'tim', password: 'secret' });
  });

  it('prepares both, and keeps the password as sent as well', async () => {
    const credentials = await login().challenge(scripted('ª', 'Ⅸ'), undefined, someMind());
    expect(credentials).toMatchObject({ username: 'a', password: 'Ⅸ', preparedPassword: 'IX' });
  });

  it.each([
    ['an empty user name', ''],
    ['NUL in the user name', 'tim\0'],
    ['invalid UTF-8', Uint8Array.of(0xff)],
  ])('refuses %s like a wrong password, after the password', async (_what, username) => {
    const ask = scripted(username, 'secret');
    await expect(login().challenge(ask, undefined, someMind())).rejects.toThrow(UnauthorizedLogin);
    expect(ask.asked).toEqual(['Username:', 'Password:']);
  });
});

describe('the LOGIN responder', () => {
  it('answers any prompts', async () => {
    const responder = loginResponder({ username: 'tim', password: 'secret' });
    expect(await said(responder, ['Username:', 'Password:', undefined])).toEqual([undefined, 'tim', 'secret']);
    expect(await said(responder, ['User Name\0', '', undefined])).toEqual([undefined, 'tim', 'secret']);
  });

  it.each([
    ['success at once', [undefined]],
    ['success without the password', ['Username:', undefined]],
    ['a third prompt', ['Username:', 'Password:', 'PIN:']],
  ])('fails for %s', async (_what, challenges) => {
    const responder = loginResponder({ username: 'tim', password: 'secret' });
    await expect(said(responder, challenges)).rejects.toThrow(SaslFailure);
  });
});
