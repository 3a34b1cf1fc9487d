import { createHash } from 'node:crypto';
import { type Ask, PasswordProof, UnauthorizedLogin } from '@postern/cred';
import { type DigestMd5Response, digestMd5, encodeUtf8, MalformedResponse } from '@postern/sasl';
import { AuthenticationFailure, digestMd5Responder, SaslFailure } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { said, scripted, someMind } from './exchange.ts';

const HOST = 'elwood.innosoft.com';

/** The examples of RFC 2831 §4. */
const examples = [
  {
    service: 'imap',
    nonce: 'OA6MG9tEQGm2hh',
    cnonce: 'OA6MHXh6VqTrRk',
    response: 'd388dad90d4bbd760a152321f2143af7',
    rspauth: 'ea40f60335c427b5527b84dbabcdfffd',
  },
  {
    service: 'acap',
    nonce: 'OA9BSXrbuRhWay',
    cnonce: 'OA9BSuZWMSpW8m',
    response: '6084c6db3fede7352c551284490fd0fc',
    rspauth: '2f0b3d7c3c2e486600ef710726aa2eae',
  },
] as const;
const [IMAP] = examples;

const CHALLENGE = `realm="${HOST}",nonce="${IMAP.nonce}",qop="auth",algorithm=md5-sess,charset=utf-8`;
const IMAP_BASE64 =
  'Y2hhcnNldD11dGYtOCx1c2VybmFtZT0iY2hyaXMiLHJlYWxtPSJlbHdvb2QuaW5ub3NvZnQuY29tIixub25jZT0iT0E2TUc5dEVRR20yaGgiLG5jPTAwMDAwMDAxLGNub25jZT0iT0E2TUhYaDZWcVRyUmsiLGRpZ2VzdC11cmk9ImltYXAvZWx3b29kLmlubm9zb2Z0LmNvbSIscmVzcG9uc2U9ZDM4OGRhZDkwZDRiYmQ3NjBhMTUyMzIxZjIxNDNhZjcscW9wPWF1dGg=';

type Example = (typeof examples)[number];

function messageOf({ service, nonce, cnonce, response }: Example): string {
  return `charset=utf-8,username="chris",realm="${HOST}",nonce="${nonce}",nc=00000001,cnonce="${cnonce}",digest-uri="${service}/${HOST}",response=${response},qop=auth`;
}

function read(
  message: string | Uint8Array,
  options: Partial<Parameters<typeof digestMd5>[0]> = {},
  ask: Ask = scripted(message),
) {
  const challenger = digestMd5({ realm: HOST, nonce: () => IMAP.nonce, ...options });
  return challenger.challenge(ask, undefined, someMind());
}

describe('the DIGEST-MD5 challenger', () => {
  it('sends the one challenge that all clients read', async () => {
    const ask = scripted(messageOf(IMAP));
    await digestMd5({ realm: HOST, nonce: () => IMAP.nonce }).challenge(ask, undefined, someMind());
    expect(ask.asked).toEqual([`realm="${HOST}",nonce="${IMAP.nonce}",qop="auth",charset=utf-8,algorithm=md5-sess`]);
  });

  it('sends a new challenge each time', async () => {
    const ask = scripted('', '');
    const challenger = digestMd5({ realm: HOST });
    await expect(challenger.challenge(ask, undefined, someMind())).rejects.toThrow(MalformedResponse);
    await expect(challenger.challenge(ask, undefined, someMind())).rejects.toThrow(MalformedResponse);
    expect(new Set(ask.asked).size).toBe(2);
  });

  it.each(examples)(
    'reads the $service example of RFC 2831 §4, and proves that the server knows the password',
    async (example) => {
      const ask = scripted(messageOf(example), '');
      const credentials = await read(messageOf(example), { nonce: () => example.nonce }, ask);
      expect(credentials).toBeInstanceOf(PasswordProof);
      expect(credentials).toMatchObject({ username: 'chris', authzid: undefined });
      expect(credentials.checkPassword('Secret')).toBe(false);
      expect(credentials.checkPassword('secret')).toBe(true);
      await credentials.accepted();
      expect(ask.asked.slice(1)).toEqual([`rspauth=${example.rspauth}`]);
    },
  );

  it('reads the example as it went over the wire', async () => {
    const credentials = await read(Buffer.from(IMAP_BASE64, 'base64'));
    expect(credentials.checkPassword('secret')).toBe(true);
  });

  it('checks a stored secret', async () => {
    const credentials = await read(messageOf(IMAP));
    const secret = createHash('md5').update(`chris:${HOST}:secret`).digest();
    expect(credentials.checkSecret(createHash('md5').update('other').digest())).toBe(false);
    expect(credentials.checkSecret(secret)).toBe(true);
  });

  it('reads blanks, empty elements, names in any case and unknown directives', async () => {
    const message = ` ,,${messageOf(IMAP).replaceAll(',', ' ,\t, ').replace('username', 'UserName')} , x="a\\"b" , x=1,`;
    expect((await read(message)).checkPassword('secret')).toBe(true);
  });

  it('reads quoted pairs, and a missing qop as auth', async () => {
    const message = messageOf(IMAP).replace('"chris"', '"c\\hris"').replace(',qop=auth', '');
    expect((await read(message)).checkPassword('secret')).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['no list', 'chris secret'],
    ['no comma between directives', messageOf(IMAP).replace(',', ' ')],
    ['an open quotation', messageOf(IMAP).replace('chris"', 'chris')],
    ['no user name', without('username')],
    ['two user names', `${messageOf(IMAP)},username="joe"`],
    ['no realm', without('realm')],
    ['another realm', replaced('realm', '"example.com"')],
    ['two realms', `${messageOf(IMAP)},realm="${HOST}"`],
    ['no nonce', without('nonce')],
    ['another nonce', replaced('nonce', '"not matching"')],
    ['two nonces', `${messageOf(IMAP)},nonce="${IMAP.nonce}"`],
    ['no cnonce', without('cnonce')],
    ['an empty cnonce', replaced('cnonce', '""')],
    ['two cnonces', `${messageOf(IMAP)},cnonce="x"`],
    ['no nonce count', without('nc')],
    ['a nonce count that is none', replaced('nc', 'NAN')],
    ['the second nonce count', replaced('nc', '00000002')],
    ['two nonce counts', `${messageOf(IMAP)},nc=00000002`],
    ['integrity protection', replaced('qop', 'auth-int')],
    ['confidentiality', `${replaced('qop', 'auth-conf')},cipher=rc4`],
    ['an unknown protection', replaced('qop', 'unsupported')],
    ['two protections', `${messageOf(IMAP)},qop=auth`],
    ['no URI', without('digest-uri')],
    ['an empty URI', replaced('digest-uri', '""')],
    ['a URI without a host', replaced('digest-uri', '"imap"')],
    ['a URI with too much', replaced('digest-uri', '"imap/a/b/c"')],
    ['two URIs', `${messageOf(IMAP)},digest-uri="imap/${HOST}"`],
    ['no response', without('response')],
    ['a response that is none', replaced('response', 'broken')],
    ['a response in upper case', replaced('response', IMAP.response.toUpperCase())],
    ['two responses', `${messageOf(IMAP)},response=${IMAP.response}`],
    ['two buffer sizes', `${messageOf(IMAP)},maxbuf=32,maxbuf=1024`],
    ['a buffer size that is none', `${messageOf(IMAP)},maxbuf=broken`],
    ['two ciphers', `${messageOf(IMAP)},cipher=rc4,cipher=des`],
    ['an unknown charset', replaced('charset', 'unsupported')],
    ['two charsets', `${messageOf(IMAP)},charset=utf-8`],
    ['two authorization identities', `${messageOf(IMAP)},authzid="somebody",authzid="else"`],
    ['an empty authorization identity', `${messageOf(IMAP)},authzid=""`],
    ['invalid UTF-8', Buffer.from(messageOf(IMAP).replace('chris', 'chr\xefs'), 'latin1')],
    ['4096 bytes', `${messageOf(IMAP)},x="`.padEnd(4095, 'x').concat('"')],
  ])('refuses %s', async (_what, message) => {
    await expect(read(message)).rejects.toThrow(MalformedResponse);
  });

  it.each([
    ['an empty user name', replaced('username', '""')],
    ['a control character in the user name', replaced('username', '"ch\\\x07ris"')],
    ['an authorization identity that prepares to nothing', `${messageOf(IMAP)},authzid="\u00ad"`],
  ])('refuses %s like a wrong password', async (_what, message) => {
    await expect(read(message)).rejects.toThrow(UnauthorizedLogin);
  });

  it('reads a long list of empty elements in linear time', async () => {
    await expect(read(`${' '.repeat(4000)}x`)).rejects.toThrow(MalformedResponse);
    await expect(read(`a${' '.repeat(4000)}x`)).rejects.toThrow(MalformedResponse);
  });

  it('refuses another service or host than the options name', async () => {
    const here = { service: 'imap', hosts: ['Elwood.Innosoft.com'] };
    expect((await read(messageOf(IMAP), here)).username).toBe('chris');
    await expect(read(messageOf(IMAP), { service: 'smtp' })).rejects.toThrow(MalformedResponse);
    await expect(read(messageOf(IMAP), { hosts: ['example.com'] })).rejects.toThrow(MalformedResponse);
  });

  it.each(['', 'bücher', 'a\nb'])('throws for the realm %j', (realm) => {
    expect(() => digestMd5({ realm })).toThrow(TypeError);
  });

  it('rejects after a checker that checked nothing, and after an answer to its proof', async () => {
    const unchecked = await read(messageOf(IMAP));
    await expect(unchecked.accepted()).rejects.toThrow(TypeError);
    const checked = await read(messageOf(IMAP), {}, scripted(messageOf(IMAP), 'x'));
    checked.checkPassword('secret');
    await expect(checked.accepted()).rejects.toThrow(MalformedResponse);
  });
});

describe('the DIGEST-MD5 responder', () => {
  const chris = { username: 'chris', password: 'secret', host: HOST, service: 'imap', nonce: () => IMAP.cnonce };

  it.each(examples)('sends the $service example of RFC 2831 §4', async (example) => {
    const { service, nonce, cnonce, rspauth } = example;
    const challenge = CHALLENGE.replace(IMAP.nonce, nonce);
    const responder = digestMd5Responder({ ...chris, service, nonce: () => cnonce });
    expect(await said(responder, [challenge, `rspauth=${rspauth}`, undefined])).toEqual([
      undefined,
      messageOf(example),
      '',
    ]);
  });

  it('sends the example as the RFC prints it', async () => {
    const [, message] = await said(digestMd5Responder(chris), [CHALLENGE, `rspauth=${IMAP.rspauth}`, undefined]);
    expect(Buffer.from(message as string).toString('base64')).toBe(IMAP_BASE64);
  });

  it.each([
    ['a wrong proof', [CHALLENGE, `rspauth=${IMAP.response}`, undefined]],
    ['a proof that is none', [CHALLENGE, 'rspauth=', undefined]],
    ['more than a proof', [CHALLENGE, `rspauth=${IMAP.rspauth}00`, undefined]],
    ['two proofs', [CHALLENGE, `rspauth=${IMAP.rspauth},rspauth=${IMAP.rspauth}`, undefined]],
    ['another proof', [CHALLENGE, 'v=1', undefined]],
    ['no list', [CHALLENGE, '"', undefined]],
  ])('does not believe a server with %s', async (_what, challenges) => {
    await expect(said(digestMd5Responder(chris), challenges)).rejects.toThrow(AuthenticationFailure);
  });

  it.each([
    ['success without a challenge', [undefined]],
    ['success without a proof', [CHALLENGE, undefined]],
    ['more after the proof', [CHALLENGE, `rspauth=${IMAP.rspauth}`, 'more']],
    ['no list', ['nonce']],
    ['no nonce', ['realm="x",algorithm=md5-sess']],
    ['an empty nonce', ['nonce="",algorithm=md5-sess']],
    ['two nonces', [`${CHALLENGE},nonce="x"`]],
    ['no algorithm', ['nonce="x"']],
    ['another algorithm', ['nonce="x",algorithm=md5']],
    ['two algorithms', [`${CHALLENGE},algorithm=md5-sess`]],
    ['a security layer', [CHALLENGE.replace('"auth"', '"auth-int,auth-conf"')]],
    ['two lists of protections', [`${CHALLENGE},qop="auth"`]],
    ['two words on staleness', [`${CHALLENGE},stale=true,stale=true`]],
    ['two buffer sizes', [`${CHALLENGE},maxbuf=1,maxbuf=2`]],
    ['another charset', [CHALLENGE.replace('utf-8', 'utf-16')]],
    ['2048 bytes', [CHALLENGE.padEnd(2048, ',')]],
  ])('fails for %s', async (_what, challenges) => {
    await expect(said(digestMd5Responder(chris), challenges)).rejects.toThrow(SaslFailure);
  });

  it('chooses among protections and realms', async () => {
    const challenge = CHALLENGE.replace('"auth"', '"auth-conf , auth"').concat(',realm="other"');
    const responder = digestMd5Responder(chris);
    expect((await said(responder, [challenge, `rspauth=${IMAP.rspauth}`, undefined]))[1]).toBe(messageOf(IMAP));
    expect(await firstWord(digestMd5Responder({ ...chris, realm: 'other' }), challenge)).toContain('realm="other"');
    await expect(said(digestMd5Responder({ ...chris, realm: 'none' }), [challenge])).rejects.toThrow(SaslFailure);
  });

  it('sends no realm if the server names none', async () => {
    expect(await firstWord(digestMd5Responder(chris), 'nonce="x",algorithm=md5-sess')).not.toContain('realm');
  });

  it('fails for a name outside the charset of the server', async () => {
    const responder = digestMd5Responder({ ...chris, username: 'ж' });
    await expect(said(responder, ['nonce="x",algorithm=md5-sess'])).rejects.toThrow(SaslFailure);
  });
});

describe('both halves of DIGEST-MD5', () => {
  it.each([
    ['chris', 'secret', undefined],
    ['c"h\\ris', 'se"cret', undefined],
    ['jürgen', 'pässword', undefined],
    ['жанна', 'пароль', 'администратор'],
    ['jürgen', 'пароль', 'jürgen'],
    ['chris', '', 'someone'],
  ])('agree on %j', async (username, password, authzid) => {
    let credentials: DigestMd5Response | undefined;
    const challenges = scriptedServer((made) => {
      credentials = made;
      return made.checkPassword(password);
    });
    await digestMd5Responder({ username, password, authzid, host: HOST, service: 'smtp' }).respond(challenges, {
      tls: undefined,
      secure: false,
      offered: [],
    });
    expect(credentials?.username).toBe(username);
    expect(credentials?.authzid).toBe(authzid === username ? undefined : authzid);
  });

  it('agree on names in ISO 8859-1 where the server does not offer UTF-8', async () => {
    const responder = digestMd5Responder({ username: 'jürgen', password: 'ß', host: HOST, service: 'smtp' });
    const messages: Uint8Array[] = [];
    await responder
      .respond(
        async (message) => {
          if (message !== undefined) messages.push(message);
          return encodeUtf8(`realm="${HOST}",nonce="${IMAP.nonce}",algorithm=md5-sess`);
        },
        { tls: undefined, secure: false, offered: [] },
      )
      .catch(() => {});
    const credentials = await read(messages[0] as Uint8Array);
    expect(credentials.username).toBe('jürgen');
    expect(credentials.checkPassword('ß')).toBe(true);
  });
});

/** Returns a `say` for the client's half that runs the server's half. */
function scriptedServer(check: (credentials: DigestMd5Response) => boolean) {
  let credentials: DigestMd5Response | undefined;
  let challenge = '';
  return async (message: Uint8Array | undefined): Promise<Uint8Array | undefined> => {
    if (message === undefined) {
      challenge = 'x'.repeat(22);
      return encodeUtf8(`realm="${HOST}",nonce="${challenge}",qop="auth",charset=utf-8,algorithm=md5-sess`);
    }
    if (credentials !== undefined) return undefined;
    const ask = scripted(message, '');
    credentials = await read(message, { nonce: () => challenge }, ask);
    expect(check(credentials)).toBe(true);
    await credentials.accepted();
    return encodeUtf8(ask.asked[1] as string);
  };
}

async function firstWord(responder: ReturnType<typeof digestMd5Responder>, challenge: string): Promise<string> {
  let word = '';
  const exchange = responder.respond(
    async (message) => {
      if (message !== undefined) word = Buffer.from(message).toString();
      return encodeUtf8(challenge);
    },
    { tls: undefined, secure: false, offered: [] },
  );
  await exchange.catch(() => {});
  return word;
}

function without(name: string): string {
  return messageOf(IMAP).replace(new RegExp(`(?<=^|,)${name}=(?:"[^"]*"|[^,]*),?`), '');
}

function replaced(name: string, value: string): string {
  return messageOf(IMAP).replace(new RegExp(`(?<=^|,)${name}=(?:"[^"]*"|[^,]*)`), `${name}=${value}`);
}
