import { AvatarRealm, type Checker, LoginDenied, type Mind, Portal, UnauthorizedLogin } from '@postern/cred';
import { authenticate, ExternalIdentity, encodeUtf8, explain, external } from '@postern/sasl';
import { externalResponder, SaslFailure } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { initially, said, scripted, someCertificate, someChannel, someMind, someTls } from './exchange.ts';

class Desk {}

const verified = someMind({ tls: someTls({ peerCertificate: someCertificate() }) });

describe('the EXTERNAL challenger', () => {
  it('reads the first example of RFC 4422 App. A.2: an empty response to an empty challenge', async () => {
    const ask = scripted('');
    const credentials = await external().challenge(ask, undefined, verified);
    expect(ask.asked).toEqual(['']);
    expect(credentials).toBeInstanceOf(ExternalIdentity);
    expect(credentials.authzid).toBeUndefined();
    expect(credentials.username).toBeUndefined();
    expect(credentials.certificate).toBe(verified.tls?.peerCertificate);
  });

  it('reads the second example of RFC 4422 App. A.2: an authorization identity', async () => {
    expect(await initially(external(), 'fred@example.com', verified)).toHaveProperty('authzid', 'fred@example.com');
  });

  it('reads the example of RFC 4954 §4.1: an empty initial response', async () => {
    expect(await initially(external(), '', verified)).toHaveProperty('authzid', undefined);
  });

  it.each([
    ['NUL in the authorization identity', 'fred\0'],
    ['nothing but NUL', '\0'],
    ['an authorization identity that prepares to nothing', '\u00ad'],
    ['a control character', 'fred\n'],
    ['invalid UTF-8', Uint8Array.of(0xff)],
  ])('refuses %s', async (_what, response) => {
    await expect(initially(external(), response, verified)).rejects.toThrow(UnauthorizedLogin);
  });

  it('is offered only to a client with a verified certificate', () => {
    const portal = portalFor(() => 'joe');
    const withCertificate = (peerCertificate: ReturnType<typeof someCertificate> | undefined) =>
      explain(external(), portal, someMind({ tls: someTls({ peerCertificate }) }));
    expect(explain(external(), portal, someMind())).toBe('needs a verified client certificate');
    expect(withCertificate(undefined)).toBe('needs a verified client certificate');
    expect(withCertificate(someCertificate({ verified: false }))).toBe('needs a verified client certificate');
    expect(withCertificate(someCertificate())).toBeUndefined();
  });

  describe('fails, as RFC 4422 App. A.1 has it, if', () => {
    it('the client has not established its credentials via external means', async () => {
      await expect(logIn('', someMind())).rejects.toThrow(UnauthorizedLogin);
    });

    it('the credentials are inadequate', async () => {
      const peerCertificate = someCertificate({ verified: false });
      await expect(logIn('', someMind({ tls: someTls({ peerCertificate }) }))).rejects.toThrow(UnauthorizedLogin);
    });

    it('no authorization identity can be associated with the credentials', async () => {
      const nobody = () => {
        throw new UnauthorizedLogin();
      };
      await expect(logIn('', verified, nobody)).rejects.toThrow(UnauthorizedLogin);
    });

    it('the authorization identity is not valid', async () => {
      await expect(logIn('fr\0ed', verified)).rejects.toThrow(UnauthorizedLogin);
    });

    it('the client may not act as the authorization identity', async () => {
      await expect(logIn('fred@example.com', verified)).rejects.toThrow(LoginDenied);
    });

    it('the server is unwilling for any other reason', async () => {
      const closed = () => {
        throw new LoginDenied('disabled');
      };
      await expect(logIn('', verified, closed)).rejects.toThrow(LoginDenied);
    });
  });

  it("succeeds otherwise, without an authorization identity or with the user's own", async () => {
    expect((await logIn('', verified)).avatarId).toBe('joe');
    expect((await logIn('joe', verified)).avatarId).toBe('joe');
  });
});

describe('the EXTERNAL responder', () => {
  it('sends the examples of RFC 4422 App. A.2 and RFC 4954 §4.1', async () => {
    expect(await said(externalResponder(), [undefined])).toEqual(['']);
    expect(await said(externalResponder({ authzid: 'fred@example.com' }), [undefined])).toEqual(['fred@example.com']);
  });

  it('is unavailable on a channel without an identity', () => {
    expect(externalResponder().unavailable?.(someChannel)).toBeDefined();
    expect(externalResponder().unavailable?.({ ...someChannel, tls: someTls() })).toBeUndefined();
    expect(externalResponder().unavailable?.({ ...someChannel, secure: true })).toBeUndefined();
  });

  it('fails for NUL in the authorization identity, and for a further challenge', async () => {
    await expect(said(externalResponder({ authzid: 'a\0' }), [undefined])).rejects.toThrow(SaslFailure);
    await expect(said(externalResponder(), [''])).rejects.toThrow(SaslFailure);
  });
});

function portalFor(recognise: () => string): Portal {
  const checker: Checker<ExternalIdentity> = {
    credentialInterfaces: [ExternalIdentity],
    requestAvatarId: recognise,
  };
  return new Portal(new AvatarRealm().provide(Desk, () => new Desk())).register(checker);
}

function logIn(initialResponse: string, mind: Mind, recognise = () => 'joe') {
  return authenticate({
    challenger: external(),
    portal: portalFor(recognise),
    mind,
    interfaces: [Desk],
    initialResponse: encodeUtf8(initialResponse),
    ask: scripted(),
    minFailureDelay: 0,
  });
}
