import { createHmac } from 'node:crypto';
import { AvatarRealm, type Checker, Portal, UnauthorizedLogin } from '@postern/cred';
import { authenticate, MalformedResponse } from '@postern/sasl';
import { AuthenticationFailure, SaslFailure } from '@postern/sasl/client';
import { HashedToken, type HtBinding, ht, htResponder } from '@postern/sasl/experimental';
import { exchange, portalFor, TestAvatar } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { initially, said, scripted, someChannel, someMind, someTls } from '../exchange.ts';

const TOKEN = Buffer.from('a token of some bytes');
const DATA = Buffer.from('channel binding data');

const tokens: Checker<HashedToken> = {
  credentialInterfaces: [HashedToken],
  requestAvatarId(credentials) {
    if (credentials.username !== 'ann' || !credentials.checkToken(TOKEN)) throw new UnauthorizedLogin();
    return 'ann';
  },
};

function portal(): Portal {
  return portalFor({}).register(tokens);
}

function tlsWith(type: string, version: string) {
  return someTls({ version, channelBinding: (asked) => (asked === type ? DATA : undefined) });
}

function proof(side: string, data: Uint8Array): Buffer {
  return createHmac('sha256', TOKEN).update(side).update(data).digest();
}

const bindings = [
  ['NONE', undefined, new Uint8Array()],
  ['ENDP', tlsWith('tls-server-end-point', 'TLSv1.3'), DATA],
  ['EXPR', tlsWith('tls-exporter', 'TLSv1.3'), DATA],
  ['UNIQ', tlsWith('tls-unique', 'TLSv1.2'), DATA],
] as const;

describe.each(bindings)('HT-SHA-256-%s', (binding, tls, data) => {
  const run = (token: Uint8Array) =>
    exchange(ht({ binding }), htResponder({ username: 'ann', token, binding }), {
      portal: portal(),
      mind: someMind({ tls }),
      channel: { tls },
    });

  it('is one round trip and the proof of the server', async () => {
    const { messages, server, client } = await run(TOKEN);
    expect(client).toEqual({});
    expect(server).toMatchObject({ login: { avatarId: 'ann' } });
    expect(messages.map(({ from, bytes }) => [from, Buffer.from(bytes)])).toEqual([
      ['client', Buffer.concat([Buffer.from('ann\0'), proof('Initiator', data)])],
      ['server', proof('Responder', data)],
      ['client', Buffer.alloc(0)],
    ]);
  });

  it('refuses another token', async () => {
    const { server, client } = await run(Buffer.from('another token'));
    expect(server).toMatchObject({ error: expect.any(UnauthorizedLogin) });
    expect(client.error).toBeInstanceOf(AuthenticationFailure);
  });
});

describe('the HT challenger', () => {
  it('exposes the secret only without a channel binding', () => {
    expect(ht({ binding: 'NONE' }).exposesSecret).toBe(true);
    expect(ht({ binding: 'EXPR' }).exposesSecret).toBe(false);
  });

  it.each<[HtBinding, string]>([
    ['ENDP', 'tls-server-end-point'],
    ['EXPR', 'tls-exporter'],
    ['UNIQ', 'tls-unique'],
  ])('with %s is available only with %s', async (binding, type) => {
    const message = Buffer.concat([Buffer.from('ann\0'), proof('Initiator', DATA)]);
    for (const mind of [someMind(), someMind({ tls: someTls() })]) {
      expect(ht({ binding }).unavailable?.(mind)).toContain(type);
      await expect(initially(ht({ binding }), message, mind)).rejects.toThrow(UnauthorizedLogin);
    }
  });

  it('uses tls-exporter once on a connection', async () => {
    const mind = someMind({ tls: tlsWith('tls-exporter', 'TLSv1.3') });
    const message = Buffer.concat([Buffer.from('ann\0'), proof('Initiator', DATA)]);
    const challenger = ht({ binding: 'EXPR' });
    expect((await initially(challenger, message, mind)).checkToken(TOKEN)).toBe(true);
    expect(challenger.unavailable?.(mind)).toBeDefined();
    await expect(initially(challenger, message, mind)).rejects.toThrow(UnauthorizedLogin);
  });

  it.each([
    ['nothing', ''],
    ['no proof', 'ann\0'],
    ['a short proof', `ann\0${'x'.repeat(31)}`],
    ['a long proof', `ann\0${'x'.repeat(33)}`],
    ['no NUL', `ann${'x'.repeat(32)}`],
    ['a user name with NUL', `a\0nn\0${'x'.repeat(32)}`],
  ])('refuses %s', async (_what, message) => {
    await expect(initially(ht({ binding: 'NONE' }), message)).rejects.toThrow(MalformedResponse);
  });

  it.each([
    ['no user name', `\0${'x'.repeat(32)}`],
    ['a user name that prepares to nothing', `\u00ad\0${'x'.repeat(32)}`],
  ])('refuses %s like a wrong password', async (_what, message) => {
    await expect(initially(ht({ binding: 'NONE' }), message)).rejects.toThrow(UnauthorizedLogin);
  });

  it('sends an empty challenge if there is no initial response', async () => {
    const ask = scripted(`ann\0${'x'.repeat(32)}`);
    expect((await ht({ binding: 'NONE' }).challenge(ask, undefined, someMind())).username).toBe('ann');
    expect(ask.asked).toEqual(['']);
  });
});

describe('HashedToken', () => {
  it('rejects if no checker has checked the token', async () => {
    const lax: Checker<HashedToken> = { credentialInterfaces: [HashedToken], requestAvatarId: () => 'ann' };
    const realm = new AvatarRealm().provide(TestAvatar, (avatarId) => new TestAvatar(avatarId));
    const attempt = authenticate({
      challenger: ht({ binding: 'NONE' }),
      portal: new Portal(realm).register(lax),
      mind: someMind(),
      interfaces: [TestAvatar],
      initialResponse: Buffer.from(`ann\0${'x'.repeat(32)}`),
      ask: scripted(''),
    });
    await expect(attempt).rejects.toMatchObject({ code: 'temporary' });
  });

  it('rejects an answer to its proof', async () => {
    const credentials = new HashedToken('ann', proof('Initiator', DATA), DATA, scripted('x'));
    expect(credentials.checkToken(TOKEN)).toBe(true);
    await expect(credentials.accepted()).rejects.toThrow(MalformedResponse);
  });
});

describe('the HT responder', () => {
  const ann = { username: 'ann', token: TOKEN };

  it.each([
    ['success without a proof', [undefined], SaslFailure],
    ['a wrong proof', ['x'.repeat(32), undefined], AuthenticationFailure],
    ['a short proof', ['x', undefined], AuthenticationFailure],
  ])('rejects %s', async (_what, challenges, failure) => {
    await expect(said(htResponder({ ...ann, binding: 'NONE' }), challenges)).rejects.toThrow(failure);
  });

  it('needs the channel binding', async () => {
    const responder = htResponder({ ...ann, binding: 'EXPR' });
    expect(responder.unavailable?.(someChannel)).toContain('tls-exporter');
    await expect(said(responder, [])).rejects.toThrow(SaslFailure);
    expect(responder.unavailable?.({ ...someChannel, tls: tlsWith('tls-exporter', 'TLSv1.3') })).toBeUndefined();
    await expect(said(htResponder({ ...ann, username: '', binding: 'NONE' }), [])).rejects.toThrow(SaslFailure);
  });
});
