import { LoginDenied, type LoginError, TemporaryFailure, UnauthorizedLogin } from '@postern/cred';
import { BearerToken, encodeUtf8, MalformedResponse, xoauth2 } from '@postern/sasl';
import { AuthenticationFailure, SaslFailure, TokenRefused, xoauth2Responder } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { initially, said, scripted, someChannel, someMind } from './exchange.ts';

const MESSAGE = 'user=ann@example.com\x01auth=Bearer ya29.token\x01\x01';

describe('the XOAUTH2 challenger', () => {
  it('reads the user and the token', async () => {
    const credentials = await initially(xoauth2(), MESSAGE);
    expect(credentials).toBeInstanceOf(BearerToken);
    expect(credentials).toMatchObject({ token: 'ya29.token', authzid: 'ann@example.com', username: undefined });
  });

  it('sends an empty challenge if there is no initial response', async () => {
    const ask = scripted(MESSAGE);
    await xoauth2().challenge(ask, undefined, someMind());
    expect(ask.asked).toEqual(['']);
  });

  it.each([
    ['no message', ''],
    ['no user', 'auth=Bearer ya29.token\x01\x01'],
    ['an empty user', 'user=\x01auth=Bearer ya29.token\x01\x01'],
    ['no token', 'user=ann@example.com\x01\x01'],
    ['no end', 'user=ann@example.com\x01auth=Bearer ya29.token\x01'],
    ['another scheme', 'user=ann@example.com\x01auth=Basic ya29.token\x01\x01'],
    ['two users', 'user=ann@example.com\x01user=bob@example.com\x01auth=Bearer ya29.token\x01\x01'],
    ['an OAUTHBEARER message', 'n,,\x01auth=Bearer ya29.token\x01\x01'],
    ['NUL in the user', 'user=a\0\x01auth=Bearer ya29.token\x01\x01'],
  ])('refuses %s', async (_what, message) => {
    const ask = scripted('');
    await expect(xoauth2().challenge(ask, encodeUtf8(message), someMind())).rejects.toThrow(MalformedResponse);
    expect(ask.asked).toEqual(['{"status":"400","schemes":"bearer"}']);
  });

  it('refuses a user name that SASLprep empties', async () => {
    const ask = scripted('');
    const message = encodeUtf8('user=\u00ad\x01auth=Bearer a\x01\x01');
    await expect(xoauth2().challenge(ask, message, someMind())).rejects.toThrow(UnauthorizedLogin);
    expect(ask.asked).toEqual(['{"status":"400","schemes":"bearer"}']);
  });

  it('sends the needed scope to a client without a token', async () => {
    const ask = scripted('');
    const message = encodeUtf8('user=ann@example.com\x01auth=\x01\x01');
    await expect(xoauth2({ scope: 'mail' }).challenge(ask, message, someMind())).rejects.toThrow(UnauthorizedLogin);
    expect(ask.asked).toEqual(['{"status":"401","schemes":"bearer","scope":"mail"}']);
  });

  it.each<[string, LoginError, readonly string[]]>([
    ['401 for a token that is not right', new UnauthorizedLogin(), ['{"status":"401","schemes":"bearer"}']],
    ['403 for a user who may not', new LoginDenied('disabled'), ['{"status":"403","schemes":"bearer"}']],
    ['nothing for trouble of ours', new TemporaryFailure('down'), []],
  ])('makes credentials that send %s', async (_what, error, challenges) => {
    const ask = scripted('');
    await (await initially(xoauth2(), MESSAGE, someMind(), ask)).refused(error);
    expect(ask.asked).toEqual(challenges);
  });
});

describe('the XOAUTH2 responder', () => {
  const ann = { username: 'ann@example.com', token: 'ya29.token' };

  it('sends the user and the token', async () => {
    expect(await said(xoauth2Responder(ann), [undefined])).toEqual([MESSAGE]);
  });

  it('answers an error with an empty response, and rejects with the fields of the error', async () => {
    const messages: (Uint8Array | undefined)[] = [];
    const exchange = xoauth2Responder(ann).respond(async (message) => {
      messages.push(message);
      if (messages.length > 1) throw new AuthenticationFailure();
      return encodeUtf8('{"status":"401","schemes":"bearer","scope":"https://mail.example.com/"}');
    }, someChannel);
    await expect(exchange).rejects.toMatchObject({ status: '401', scope: 'https://mail.example.com/' });
    expect(messages[1]).toHaveLength(0);
  });

  it('does not answer the error with cancelsError', async () => {
    await expect(said(xoauth2Responder({ ...ann, cancelsError: true }), ['{"status":"400"}'])).rejects.toThrow(
      TokenRefused,
    );
  });

  it.each(['', 'a\0', 'a\x01b', 'a\n', '\ud800'])('does not send the user name %j', async (username) => {
    await expect(said(xoauth2Responder({ ...ann, username }), [])).rejects.toThrow(SaslFailure);
  });
});
