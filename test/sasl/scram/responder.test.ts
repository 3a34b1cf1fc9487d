import { encodeUtf8 } from '@postern/sasl';
import {
  AuthenticationFailure,
  type Responder,
  SaslFailure,
  type ScramResponderOptions,
  scramResponder,
} from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { said, someChannel } from '../exchange.ts';

/** The example of RFC 7677 §3. */
const NONCE = 'rOprNGfwEbeRWgbNEkqO';
const SERVER_FIRST = `r=${NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`;
const SERVER_FINAL = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

function responder(options: Partial<ScramResponderOptions> = {}) {
  return scramResponder({ hash: 'sha256', username: 'user', password: 'pencil', nonce: () => NONCE, ...options });
}

/**
 * Returns how many messages a responder sends to these challenges, and the error with which it
 * ends.
 */
async function failure(challenges: readonly (string | undefined)[], options: Partial<ScramResponderOptions> = {}) {
  const rest = [...challenges];
  let messages = 0;
  const exchange = responder(options).respond(async () => {
    messages++;
    const challenge = rest.shift();
    return challenge === undefined ? undefined : encodeUtf8(challenge);
  }, someChannel);
  const error: unknown = await exchange.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { messages, error };
}

/** Returns the client-final-message in answer to a server-first-message. */
async function finalOf(one: Responder, serverFirst: string): Promise<string> {
  let final = '';
  const exchange = one.respond(async (message) => {
    final = Buffer.from(message ?? []).toString();
    return encodeUtf8(final.startsWith('c=') ? 'e=other-error' : serverFirst);
  }, someChannel);
  await expect(exchange).rejects.toThrow(SaslFailure);
  return final;
}

describe('the SCRAM responder', () => {
  it('ignores extensions in the server’s messages', async () => {
    const first = await said(responder(), [SERVER_FIRST, SERVER_FINAL, undefined]);
    expect(first).toHaveLength(3);
    await expect(said(responder(), [SERVER_FIRST, `${SERVER_FINAL},x=1`, undefined])).resolves.toHaveLength(3);
    // An extension of the server's first message changes the proof and the signature.
    expect(await failure([`${SERVER_FIRST},x=1`, SERVER_FINAL])).toMatchObject({
      messages: 2,
      error: new AuthenticationFailure('the server does not know the user: its signature is wrong'),
    });
  });

  it('sends the authorization identity, prepared and escaped', async () => {
    const { messages } = await failure([SERVER_FIRST, SERVER_FINAL], { authzid: 'a,\u2168' });
    expect(messages).toBe(2);
    const first: string[] = [];
    await responder({ authzid: 'a,\u2168', username: '=\u00ad' })
      .respond(async (message) => {
        first.push(Buffer.from(message ?? []).toString());
        return undefined;
      }, someChannel)
      .catch(() => {});
    expect(first).toEqual([`n,a=a=2CIX,n==3D,r=${NONCE}`]);
  });

  it('sends a new nonce each time', async () => {
    const one = scramResponder({ hash: 'sha256', username: 'user', password: 'pencil' });
    const nonces = new Set<string>();
    for (let n = 0; n < 300; n++) {
      await one
        .respond(async (message) => {
          const [, nonce] = /,r=([!-+\--~]{24})$/.exec(Buffer.from(message ?? []).toString()) ?? [];
          nonces.add(nonce ?? 'none');
          return undefined;
        }, someChannel)
        .catch(() => {});
    }
    expect(nonces.size).toBe(300);
    expect(nonces.has('none')).toBe(false);
  });

  it('sends the same proof with cached keys', async () => {
    const one = responder();
    const challenges = [
      SERVER_FIRST,
      SERVER_FIRST,
      SERVER_FIRST.replace('W22Z', 'W22Y'),
      SERVER_FIRST.replace('4096', '4097'),
      SERVER_FIRST,
    ];
    for (const serverFirst of challenges) {
      expect(await finalOf(one, serverFirst)).toBe(await finalOf(responder(), serverFirst));
    }
    expect(new Set(await Promise.all(challenges.map((serverFirst) => finalOf(one, serverFirst)))).size).toBe(3);
  });

  it.each([
    ['success at once', [undefined]],
    ['an error in place of salt and nonce', ['e=other-error']],
    ['a challenge that is none', ['Username:']],
    ['an empty challenge', ['']],
    ['a mandatory extension', [`m=1,${SERVER_FIRST}`]],
    ['another nonce', [SERVER_FIRST.replace('r=r', 'r=s')]],
    ['its own nonce alone', [`r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`]],
    ['a nonce in front of its own', [SERVER_FIRST.replace('r=', 'r=x')]],
    ['too few iterations', [SERVER_FIRST.replace('4096', '4095')]],
    ['more iterations than any server needs', [SERVER_FIRST.replace('4096', '1000001')]],
    ['a salt that is not base64', [SERVER_FIRST.replace('gQ==', 'gQ=')]],
  ])('does not answer %s', async (_what, challenges) => {
    const { messages, error } = await failure(challenges);
    expect(messages).toBe(1);
    expect(error).toBeInstanceOf(SaslFailure);
  });

  it('accepts the iterations of its options', async () => {
    expect(await failure([SERVER_FIRST], { minIterations: 4097 })).toMatchObject({ messages: 1 });
    expect(await failure([SERVER_FIRST], { maxIterations: 4095 })).toMatchObject({ messages: 1 });
    expect(await failure([SERVER_FIRST.replace('4096', '100')], { minIterations: 100 })).toMatchObject({ messages: 2 });
  });

  it.each([
    ['success without the server’s signature', [undefined]],
    ['an empty challenge in place of the signature', ['', undefined]],
    ['a signature and then more', [SERVER_FINAL, '']],
    ['a signature and an error', [`${SERVER_FINAL},e=other-error`]],
    ['an error that may be mended', ['e=unsupported-channel-binding-type']],
    ['an error that nobody knows', ['e=\u001b[2J']],
  ])('does not accept %s as a login', async (_what, challenges) => {
    const { error } = await failure([SERVER_FIRST, ...challenges]);
    expect(error).toBeInstanceOf(SaslFailure);
    expect((error as Error).message).not.toMatch(/[^ -~]/);
  });

  it.each([
    ['a wrong signature', SERVER_FINAL.replace('v=6', 'v=7')],
    ['a short signature', 'v=AQID'],
    ['its own proof for a signature', 'v=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ='],
  ])('rejects a server with %s as an impostor, and sends nothing more', async (_what, serverFinal) => {
    const { messages, error } = await failure([SERVER_FIRST, serverFinal, undefined]);
    expect(messages).toBe(2);
    expect(error).toBeInstanceOf(AuthenticationFailure);
  });

  it.each(['invalid-proof', 'unknown-user'])('rejects the error %s as wrong credentials', async (error) => {
    expect(await failure([SERVER_FIRST, `e=${error}`])).toMatchObject({
      messages: 2,
      error: expect.any(AuthenticationFailure),
    });
  });

  it.each(['channel-bindings-dont-match', 'server-does-support-channel-binding'])(
    'rejects the error %s as an attack, and tries nothing else',
    async (error) => {
      expect(await failure([SERVER_FIRST, `e=${error}`])).toMatchObject({
        messages: 2,
        error: expect.any(AuthenticationFailure),
      });
    },
  );

  it.each([
    ['an empty user name', { username: '' }],
    ['a user name that comes to nothing', { username: '\u00ad' }],
    ['a user name with a line break', { username: 'us\ner' }],
    ['an authorization identity with a NUL', { authzid: 'a\0' }],
    ['an empty password', { password: '' }],
    ['a password with a NUL', { password: 'pen\0cil' }],
    ['a password of more than 4,096 octets', { password: 'x'.repeat(4097) }],
  ])('sends nothing with %s', async (_what, options) => {
    expect(await failure([SERVER_FIRST], options)).toMatchObject({ messages: 0, error: expect.any(SaslFailure) });
  });

  it('rejects with the error of the connection', async () => {
    const lost = new Error('connection lost');
    await expect(responder().respond(() => Promise.reject(lost), someChannel)).rejects.toBe(lost);
  });
});
