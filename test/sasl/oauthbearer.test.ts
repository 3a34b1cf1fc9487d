import { inspect } from 'node:util';
import { LoginDenied, type LoginError, NoAvatar, TemporaryFailure, UnauthorizedLogin } from '@postern/cred';
import {
  BearerToken,
  decodeBase64,
  ExchangeCancelled,
  encodeUtf8,
  MalformedResponse,
  oauthBearer,
} from '@postern/sasl';
import { AuthenticationFailure, oauthBearerResponder, SaslFailure, TokenRefused } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { initially, said, scripted, someChannel, someMind, someTls } from './exchange.ts';

const TOKEN = 'vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==';
const IMAP = `n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer ${TOKEN}\x01\x01`;
const SMTP = `n,a=user@example.com,\x01host=server.example.com\x01port=587\x01auth=Bearer ${TOKEN}\x01\x01`;

/** The second example of RFC 7628 §4.1, whose line has a stray IMAP tag. */
const SMTP_BASE64 =
  'bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9NTg3AWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNrQmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB';

/** The request of RFC 7628 §4.3, with which a client asks for the token that it needs. */
const QUESTION = 'n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=\x01\x01';
const QUESTION_BASE64 = 'bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9AQE=';
const ANSWER_BASE64 =
  'eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIiwic2NvcGUiOiJleGFtcGxlX3Njb3BlIiwib3BlbmlkLWNvbmZpZ3VyYXRpb24iOiJodHRwczovL2V4YW1wbGUuY29tLy53ZWxsLWtub3duL29wZW5pZC1jb25maWd1cmF0aW9uIn0=';

/** The example of RFC 7628 §4.4, which has no valid gs2-header. */
const NO_GS2_BASE64 =
  'bix1c2VyPXNvbWV1c2VyQGV4YW1wbGUuY29tLAFhdXRoPUJlYXJlciB2RjlkZnQ0cW1UYzJOdmIzUmxja0JoZEhSaGRtbHpkR0V1WTI5dENnPT0BAQ==';

const asInTheRfc = {
  scope: 'example_scope',
  openidConfiguration: 'https://example.com/.well-known/openid-configuration',
};

function bytes(base64: string): Uint8Array {
  return decodeBase64(base64) as Uint8Array;
}

describe('the OAUTHBEARER challenger', () => {
  it('reads the examples of RFC 7628 §4.1', async () => {
    const imap = await initially(oauthBearer(), IMAP);
    expect(imap).toBeInstanceOf(BearerToken);
    expect(imap).toMatchObject({ token: TOKEN, authzid: 'user@example.com', host: 'server.example.com', port: 143 });
    const smtp = await initially(oauthBearer(), bytes(SMTP_BASE64));
    expect(smtp).toMatchObject({ token: TOKEN, authzid: 'user@example.com', host: 'server.example.com', port: 587 });
  });

  it('sends an empty challenge if there is no initial response', async () => {
    const ask = scripted(IMAP);
    await oauthBearer().challenge(ask, undefined, someMind());
    expect(ask.asked).toEqual(['']);
  });

  it.each([
    ['answered as it should', Uint8Array.of(1)],
    ['answered by nothing', ''],
    ['answered by something', 'QUIT'],
  ])('answers a client without a token, %s (RFC 7628 §4.3)', async (_what, response) => {
    const ask = scripted(response);
    const exchange = oauthBearer(asInTheRfc).challenge(ask, bytes(QUESTION_BASE64), someMind());
    await expect(exchange).rejects.toThrow(UnauthorizedLogin);
    expect(Buffer.from(ask.asked[0] as string).toString('base64')).toBe(ANSWER_BASE64);
  });

  it('refuses that client also if it cancels the exchange', async () => {
    const cancel = () => Promise.reject(new ExchangeCancelled());
    const exchange = oauthBearer().challenge(cancel, encodeUtf8(QUESTION), someMind());
    await expect(exchange).rejects.toThrow(UnauthorizedLogin);
  });

  it('refuses the example of RFC 7628 §4.4', async () => {
    const ask = scripted(Uint8Array.of(1));
    const exchange = oauthBearer().challenge(ask, bytes(NO_GS2_BASE64), someMind());
    await expect(exchange).rejects.toThrow(MalformedResponse);
    expect(ask.asked).toEqual(['{"status":"invalid_request"}']);
  });

  it.each([
    ['no message', ''],
    ['the end of an error round', '\x01'],
    ['no header', `auth=Bearer ${TOKEN}\x01\x01`],
    ['a channel binding', `p=tls-exporter,,\x01auth=Bearer ${TOKEN}\x01\x01`],
    ['a non-standard GS2 header', `F,n,,\x01auth=Bearer ${TOKEN}\x01\x01`],
    ['a bad escape in the authorization identity', `n,a=a=2c,\x01auth=Bearer ${TOKEN}\x01\x01`],
    ['an empty authorization identity', `n,a=,\x01auth=Bearer ${TOKEN}\x01\x01`],
    ['no pairs', 'n,,\x01\x01'],
    ['no end', `n,,\x01auth=Bearer ${TOKEN}\x01`],
    ['something behind the end', `n,,\x01auth=Bearer ${TOKEN}\x01\x01x`],
    ['a pair without =', `n,,\x01auth\x01\x01`],
    ['a key that is none', `n,,\x01auth=Bearer ${TOKEN}\x01x1=y\x01\x01`],
    ['a value with NUL', `n,,\x01auth=Bearer ${TOKEN}\x01x=\0\x01\x01`],
    ['a value beyond ASCII', `n,,\x01auth=Bearer ${TOKEN}\x01x=ß\x01\x01`],
    ['two tokens', `n,,\x01auth=Bearer a\x01auth=Bearer b\x01\x01`],
    ['another scheme', 'n,,\x01auth=Basic dGltOnNlY3JldA==\x01\x01'],
    ['a scheme without a token', 'n,,\x01auth=Bearer \x01\x01'],
    ['a token with a space', 'n,,\x01auth=Bearer a b\x01\x01'],
    ['port 0', `n,,\x01port=0\x01auth=Bearer ${TOKEN}\x01\x01`],
    ['a port with a leading zero', `n,,\x01port=0143\x01auth=Bearer ${TOKEN}\x01\x01`],
    ['a port that is none', `n,,\x01port=65536\x01auth=Bearer ${TOKEN}\x01\x01`],
    ['invalid UTF-8', Uint8Array.of(0x6e, 0x2c, 0xff, 0x2c, 1, 1)],
  ])('refuses %s', async (_what, message) => {
    const ask = scripted(Uint8Array.of(1));
    const response = typeof message === 'string' ? encodeUtf8(message) : message;
    const exchange = oauthBearer().challenge(ask, response, someMind());
    await expect(exchange).rejects.toThrow(MalformedResponse);
    expect(ask.asked).toEqual(['{"status":"invalid_request"}']);
  });

  it('refuses an authorization identity that SASLprep empties', async () => {
    const ask = scripted(Uint8Array.of(1));
    const message = encodeUtf8(`n,a=\u00ad,\x01auth=Bearer ${TOKEN}\x01\x01`);
    await expect(oauthBearer().challenge(ask, message, someMind())).rejects.toThrow(UnauthorizedLogin);
    expect(ask.asked).toEqual(['{"status":"invalid_request"}']);
  });

  it('accepts a token of 8,192 octets, and refuses a longer one before a checker sees it', async () => {
    const message = (octets: number) => `n,,\x01auth=Bearer ${'x'.repeat(octets)}\x01\x01`;
    expect((await initially(oauthBearer(), message(8192))).token).toHaveLength(8192);
    const ask = scripted(Uint8Array.of(1));
    await expect(oauthBearer().challenge(ask, encodeUtf8(message(8193)), someMind())).rejects.toThrow(
      UnauthorizedLogin,
    );
    expect(ask.asked).toEqual(['{"status":"invalid_token"}']);
  });

  it('ignores unknown keys, decodes names, and accepts the scheme in any case', async () => {
    const message = `y,a=a=2Cb=3Dc,\x01mthd=POST\x01x=\t \r\n\x01auth=bEARER  ${TOKEN}\x01\x01`;
    const credentials = await initially(oauthBearer(), message);
    expect(credentials).toMatchObject({ token: TOKEN, authzid: 'a,b=c', host: undefined, port: undefined });
  });

  it('returns no authorization identity for an empty one', async () => {
    expect(await initially(oauthBearer(), `n,,\x01auth=Bearer ${TOKEN}\x01\x01`)).toHaveProperty('authzid', undefined);
  });

  it('does not show the token in a log', async () => {
    const credentials = await initially(oauthBearer(), IMAP);
    expect(inspect(credentials, { depth: 9 }) + JSON.stringify(credentials)).not.toContain(TOKEN);
  });

  describe('compares the host and port of the client', () => {
    const here = { hosts: ['mail.example.com', 'SERVER.example.com'], ports: [587, 465] };

    it('against the names and ports of the service', async () => {
      expect(await initially(oauthBearer(here), SMTP)).toHaveProperty('port', 587);
      await expectRefused(oauthBearer(here), IMAP);
      await expectRefused(oauthBearer({ hosts: ['mail.example.com'] }), SMTP);
    });

    it('against the name that it gave in TLS', async () => {
      const tls = (serverName: string) => someMind({ tls: someTls({ serverName }) });
      expect(await initially(oauthBearer(), SMTP, tls('server.example.com'))).toHaveProperty('port', 587);
      await expectRefused(oauthBearer(), SMTP, tls('other.example.com'));
    });

    it('and accepts a client that names neither', async () => {
      expect(await initially(oauthBearer(here), `n,,\x01auth=Bearer ${TOKEN}\x01\x01`)).toHaveProperty('token', TOKEN);
    });

    async function expectRefused(challenger: ReturnType<typeof oauthBearer>, message: string, mind = someMind()) {
      const ask = scripted(Uint8Array.of(1));
      await expect(challenger.challenge(ask, encodeUtf8(message), mind)).rejects.toThrow(UnauthorizedLogin);
      expect(ask.asked).toEqual(['{"status":"invalid_request"}']);
    }
  });
});

describe('BearerToken', () => {
  it.each<[string, LoginError, readonly string[]]>([
    ['a token that is not right', new UnauthorizedLogin(), ['{"status":"invalid_token"}']],
    ['a user who may not', new LoginDenied('not-authorized'), ['{"status":"insufficient_scope"}']],
    ['one who has to wait, when nobody has looked at the token', new LoginDenied('too-many'), []],
    ['trouble of ours, when the token may be good', new TemporaryFailure('down'), []],
    ['trouble of the operator', new NoAvatar('no desk'), []],
  ])('sends an error for %s', async (_what, error, challenges) => {
    const ask = scripted(Uint8Array.of(1));
    await (await initially(oauthBearer(), IMAP, someMind(), ask)).refused(error);
    expect(ask.asked).toEqual(challenges);
  });

  it('ends with a cancellation or a malformed response, but not with a lost connection', async () => {
    const refused = async (error: Error) => {
      const credentials = await initially(oauthBearer(), IMAP, someMind(), () => Promise.reject(error));
      await credentials.refused(new UnauthorizedLogin());
    };
    await expect(refused(new ExchangeCancelled())).resolves.toBeUndefined();
    await expect(refused(new MalformedResponse('bad base64', 'encoding'))).resolves.toBeUndefined();
    await expect(refused(new Error('connection reset'))).rejects.toThrow('connection reset');
  });

  it('sends nothing without sayError', async () => {
    await expect(new BearerToken(TOKEN).refused(new UnauthorizedLogin())).resolves.toBeUndefined();
  });
});

describe('the OAUTHBEARER responder', () => {
  const user = { token: TOKEN, authzid: 'user@example.com', host: 'server.example.com' };

  it('sends the examples of RFC 7628 §4.1', async () => {
    expect(await said(oauthBearerResponder({ ...user, port: 143 }), [undefined])).toEqual([IMAP]);
    const [message] = await said(oauthBearerResponder({ ...user, port: 587 }), [undefined]);
    expect(Buffer.from(message as string).toString('base64')).toBe(SMTP_BASE64);
  });

  it('sends only the given fields, and escapes names', async () => {
    expect(await said(oauthBearerResponder({ token: TOKEN }), [undefined])).toEqual([
      `n,,\x01auth=Bearer ${TOKEN}\x01\x01`,
    ]);
    const [message] = await said(oauthBearerResponder({ token: TOKEN, authzid: 'a,b=c' }), [undefined]);
    expect(message).toMatch(/^n,a=a=2Cb=3Dc,/);
  });

  it('answers the error of RFC 7628 §4.3, and rejects with its fields', async () => {
    const { failure, messages } = await refusedBy(oauthBearerResponder(user), bytes(ANSWER_BASE64));
    expect(messages.at(-1)).toEqual(Uint8Array.of(1));
    expect(failure).toBeInstanceOf(TokenRefused);
    expect(failure).toBeInstanceOf(AuthenticationFailure);
    expect(failure).toMatchObject({ status: 'invalid_token', ...asInTheRfc });
  });

  it('cancels the exchange at the error with cancelsError', async () => {
    const { failure, messages } = await refusedBy(
      oauthBearerResponder({ ...user, cancelsError: true }),
      bytes(ANSWER_BASE64),
    );
    expect(messages).toHaveLength(1);
    expect(failure).toMatchObject({ status: 'invalid_token' });
  });

  it.each(['', 'null', '[]', '1', '{"status":7}', '{', '{"__proto__":{"status":"x"}}'])(
    'survives the error %j',
    async (error) => {
      const { failure } = await refusedBy(oauthBearerResponder(user), encodeUtf8(error));
      expect(failure).toBeInstanceOf(TokenRefused);
      expect(failure).toHaveProperty('status', undefined);
    },
  );

  it('rejects a success after an error, and a second error', async () => {
    await expect(said(oauthBearerResponder(user), ['{}', undefined])).rejects.toThrow(TokenRefused);
    await expect(said(oauthBearerResponder(user), ['{}', '{}'])).rejects.toThrow(TokenRefused);
  });

  it('rejects with the error of a lost connection', async () => {
    const lost = new Error('connection reset');
    let messages = 0;
    const exchange = oauthBearerResponder(user).respond(async () => {
      if (messages++ > 0) throw lost;
      return encodeUtf8('{}');
    }, someChannel);
    await expect(exchange).rejects.toBe(lost);
  });

  it.each([
    ['a token that is none', { token: 'a b' }],
    ['no token', { token: '' }],
    ['a line break in the token', { token: 'a\n' }],
    ['NUL in the authorization identity', { token: 'a', authzid: '\0' }],
    ['a separator in the host', { token: 'a', host: 'a\x01b' }],
  ])('sends nothing for %s', async (_what, options) => {
    await expect(said(oauthBearerResponder(options), [])).rejects.toThrow(SaslFailure);
  });
});

/** Returns a responder's error after an error challenge, and the messages that it sent. */
async function refusedBy(responder: ReturnType<typeof oauthBearerResponder>, errorChallenge: Uint8Array) {
  const messages: (Uint8Array | undefined)[] = [];
  const failure = await responder
    .respond(async (message) => {
      messages.push(message);
      if (messages.length > 1) throw new AuthenticationFailure();
      return errorChallenge;
    }, someChannel)
    .catch((error: unknown) => error);
  return { failure, messages };
}
