import { UnauthorizedLogin } from '@postern/cred';
import { cramMd5, ExchangeCancelled, login, MalformedResponse, plain, scram } from '@postern/sasl';
import {
  AuthenticationFailure,
  cramMd5Responder,
  loginResponder,
  plainResponder,
  SaslFailure,
  scramResponder,
} from '@postern/sasl/client';
import { exchange, portalFor, TestAvatar } from '@postern/testing';
import { describe, expect, it } from 'vitest';

const joe = { username: 'joe', password: 's3cret' };
const portal = portalFor({ joe: 's3cret' });

describe('exchange', () => {
  it('runs both halves and records the messages', async () => {
    const { messages, server, client } = await exchange(plain(), plainResponder(joe), { portal });
    expect(messages.map(({ from, bytes }) => `${from}: ${Buffer.from(bytes).toString()}`)).toEqual([
      'client: \0joe\0s3cret',
    ]);
    expect(server).toMatchObject({ login: { avatarId: 'joe', avatar: new TestAvatar('joe') } });
    expect(client).toEqual({});
  });

  it.each([
    [login(), loginResponder(joe)],
    [cramMd5({ hostname: 'mx.example.com' }), cramMd5Responder(joe)],
    [scram({ hash: 'sha256' }), scramResponder({ ...joe, hash: 'sha256' })],
  ])('runs $mechanism', async (challenger, responder) => {
    const { server, client } = await exchange(challenger, responder, { portal });
    expect(server).toMatchObject({ login: { avatarId: 'joe' } });
    expect(client).toEqual({});
  });

  it('delays the client’s first message without an initial response', async () => {
    const { server } = await exchange(plain(), plainResponder(joe), { portal, initialResponse: false });
    expect(server).toMatchObject({ login: { avatarId: 'joe' } });
  });

  it('records the error of each half', async () => {
    const { server, client } = await exchange(plain(), plainResponder({ ...joe, password: 'wrong' }), { portal });
    expect(server).toEqual({ error: expect.any(UnauthorizedLogin) });
    expect(client).toEqual({ error: expect.any(AuthenticationFailure) });
  });

  it('changes messages', async () => {
    const tamper = () => Buffer.from('nonsense');
    const { messages, server, client } = await exchange(plain(), plainResponder(joe), { portal, tamper });
    expect(Buffer.from(messages[0]?.bytes ?? '').toString()).toBe('\0joe\0s3cret');
    expect(server).toEqual({ error: expect.any(MalformedResponse) });
    expect(client).toEqual({ error: expect.any(SaslFailure) });
  });

  it('breaks the connection at a message', async () => {
    const lost = new Error('lost');
    const tamper = (message: Uint8Array, index: number) => {
      if (index === 2) throw lost;
      return message;
    };
    const { server } = await exchange(scram({ hash: 'sha256' }), scramResponder({ ...joe, hash: 'sha256' }), {
      portal,
      tamper,
    });
    expect(server).toEqual({ error: lost });
  });

  it('cancels the exchange when the client fails', async () => {
    const tamper = (message: Uint8Array, _index: number, from: string) =>
      from === 'server' ? Buffer.from('?') : message;
    const { server, client } = await exchange(scram({ hash: 'sha256' }), scramResponder({ ...joe, hash: 'sha256' }), {
      portal,
      tamper,
    });
    expect(client).toEqual({ error: expect.any(SaslFailure) });
    expect(server).toEqual({ error: expect.any(ExchangeCancelled) });
  });
});
