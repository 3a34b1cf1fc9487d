import { PasswordProof, UnauthorizedLogin } from '@postern/cred';
import { CramMd5Response, cramMd5, decodeBase64, decodeUtf8, MalformedResponse } from '@postern/sasl';
import { cramMd5Responder, SaslFailure } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { said, scripted, someMind } from './exchange.ts';

const RFC_2195 = '<1896.697170952@postoffice.reston.mci.net>';
const RFC_4954 = '<4192942341.12828472@sourcefour.andrew.cmu.edu>';
const DIGEST = 'b913a602c7eda7a495b4e6e7334d3890';

function postoffice() {
  return cramMd5({ hostname: 'postoffice.reston.mci.net', nonce: () => '1896.697170952' });
}

describe('the CRAM-MD5 challenger', () => {
  it('sends and reads the example of RFC 2195 §2', async () => {
    const ask = scripted(decodeBase64('dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw') as Uint8Array);
    const credentials = await postoffice().challenge(ask, undefined, someMind());
    expect(Buffer.from(ask.asked[0] as string).toString('base64')).toBe(
      'PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+',
    );
    expect(credentials).toBeInstanceOf(PasswordProof);
    expect(credentials.username).toBe('tim');
    expect(credentials.checkPassword('tanstaaftanstaaf')).toBe(true);
    expect(credentials.checkPassword('tanstaaftanstaaF')).toBe(false);
    expect(credentials.checkPassword('')).toBe(false);
  });

  it('sends and reads the example of RFC 4954 §4.1', async () => {
    const ask = scripted(decodeBase64('cmpzMyBlYzNhNTlmZWQzOTVhYmExZWM2MzY3YzRmNGI0MWFjMA==') as Uint8Array);
    const challenger = cramMd5({ hostname: 'sourcefour.andrew.cmu.edu', nonce: () => '4192942341.12828472' });
    const { username } = await challenger.challenge(ask, undefined, someMind());
    expect(ask.asked).toEqual([
      decodeUtf8(decodeBase64('PDQxOTI5NDIzNDEuMTI4Mjg0NzJAc291cmNlZm91ci5hbmRyZXcuY211LmVkdT4=') as Uint8Array),
    ]);
    expect(ask.asked).toEqual([RFC_4954]);
    expect(username).toBe('rjs3');
  });

  it('speaks first', () => {
    expect(postoffice().serverFirst).toBe(true);
  });

  it('sends a new challenge each time, with the name of the host', async () => {
    const ask = scripted(`tim ${DIGEST}`, `tim ${DIGEST}`);
    const challenger = cramMd5({ hostname: 'mail.example.com' });
    await challenger.challenge(ask, undefined, someMind());
    await challenger.challenge(ask, undefined, someMind());
    expect(new Set(ask.asked).size).toBe(2);
    for (const challenge of ask.asked) expect(challenge).toMatch(/^<\d{39}\.\d{13}@mail\.example\.com>$/);
  });

  it('splits at the last space, so that a user name may contain spaces', async () => {
    const { username } = await postoffice().challenge(scripted(`tim  the user ${DIGEST}`), undefined, someMind());
    expect(username).toBe('tim  the user');
  });

  it('prepares the user name', async () => {
    const { username } = await postoffice().challenge(scripted(`Ⅸ ${DIGEST}`), undefined, someMind());
    expect(username).toBe('IX');
  });

  it.each([
    ['an empty response', ''],
    ['no space', `tim${DIGEST}`],
    ['the digest alone', DIGEST],
    ['no digest', 'tim '],
    ['a short digest', `tim ${DIGEST.slice(1)}`],
    ['a long digest', `tim ${DIGEST}0`],
    ['a digest in upper case', `tim ${DIGEST.toUpperCase()}`],
    ['a digest that is not hexadecimal', `tim ${DIGEST.slice(1)}g`],
    ['a line break behind the digest', `tim ${DIGEST}\n`],
    ['a space behind the digest', `tim ${DIGEST} `],
  ])('refuses %s', async (_what, response) => {
    const exchange = postoffice().challenge(scripted(response), undefined, someMind());
    await expect(exchange).rejects.toThrow(MalformedResponse);
  });

  it.each([
    ['no user name', ` ${DIGEST}`],
    ['a user name that prepares to nothing', `\u00ad ${DIGEST}`],
    ['a control character in the user name', `t\0im ${DIGEST}`],
    ['invalid UTF-8', Buffer.concat([Uint8Array.of(0xff), Buffer.from(` ${DIGEST}`)])],
  ])('refuses %s like a wrong password', async (_what, response) => {
    const exchange = postoffice().challenge(scripted(response), undefined, someMind());
    await expect(exchange).rejects.toThrow(UnauthorizedLogin);
  });

  it.each(['', 'mail example', 'a>b', 'mail@example.com', '.', 'a..b', 'bücher.example'])(
    'does not start with the host name %j',
    (hostname) => {
      expect(() => cramMd5({ hostname })).toThrow(TypeError);
    },
  );

  it.each(['localhost', 'mail.example.com', '[192.0.2.1]', '[IPv6:2001:db8::1]'])(
    'starts with the host name %j',
    (hostname) => {
      expect(cramMd5({ hostname }).mechanism).toBe('CRAM-MD5');
    },
  );
});

describe('CramMd5Response', () => {
  it('does not check a digest of another length', () => {
    expect(new CramMd5Response('tim', Buffer.from(RFC_2195), 'b913').checkPassword('tanstaaftanstaaf')).toBe(false);
  });

  it('checks passwords longer than the block of the hash', () => {
    const response = new CramMd5Response('tim', Buffer.from(RFC_2195), DIGEST);
    expect(response.checkPassword('x'.repeat(1000))).toBe(false);
  });
});

describe('the CRAM-MD5 responder', () => {
  it('sends the example of RFC 2195 §2', async () => {
    const responder = cramMd5Responder({ username: 'tim', password: 'tanstaaftanstaaf' });
    const [initial, response] = await said(responder, [RFC_2195, undefined]);
    expect(initial).toBeUndefined();
    expect(Buffer.from(response as string).toString('base64')).toBe('dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw');
  });

  it.each([
    ['success without a challenge', [undefined]],
    ['a second challenge', [RFC_2195, RFC_2195]],
  ])('fails for %s', async (_what, challenges) => {
    const responder = cramMd5Responder({ username: 'tim', password: 'tanstaaftanstaaf' });
    await expect(said(responder, challenges)).rejects.toThrow(SaslFailure);
  });
});
