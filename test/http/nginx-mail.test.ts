import { createHash, createHmac } from 'node:crypto';
import {
  Anonymous,
  AnonymousChecker,
  type AvatarId,
  AvatarRealm,
  checker,
  Identity,
  InMemoryUsernamePasswordDatabaseDontUse,
  identityOf,
  LoginDenied,
  type Mind,
  Portal,
} from '@postern/cred';
import { NginxBackEnd, type NginxMailEvent, type NginxMailOptions, nginxMail } from '@postern/http/nginx';
import { ExternalIdentity } from '@postern/sasl';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testCertificates } from '../support/certificates.ts';

const USERS = { joe: 'secret', 'ann müller': 'pä ss%wörd', jörg: 'pä ss%wörd' };
const SALT = '<1896.697170952@postern.example>';

describe('nginxMail', () => {
  it('grants PLAIN with a back end and the decoded name', async () => {
    const { ask } = server();
    expect(await ask({ 'Auth-Method': 'plain', 'Auth-User': 'joe', 'Auth-Pass': 'secret' })).toEqual({
      status: 200,
      'Auth-Status': 'OK',
      'Auth-Server': '127.0.0.1',
      'Auth-Port': '587',
      'Auth-User': 'joe',
    });
  });

  it('decodes percent escapes in Latin-1, and then UTF-8', async () => {
    const { ask } = server();
    const answer = await ask({ 'Auth-User': escaped('jörg'), 'Auth-Pass': escaped('pä ss%wörd') });
    expect(answer).toMatchObject({ 'Auth-Status': 'OK', 'Auth-User': Buffer.from('jörg').toString('latin1') });
  });

  it('grants APOP and CRAM-MD5 over the salt', async () => {
    const { ask } = server();
    const apop = createHash('md5').update(`${SALT}secret`).digest('hex');
    const cram = createHmac('md5', 'secret').update(SALT).digest('hex');
    const fields = { 'Auth-User': 'joe', 'Auth-Salt': SALT };
    expect(await ask({ ...fields, 'Auth-Method': 'apop', 'Auth-Pass': apop })).toMatchObject({ 'Auth-Status': 'OK' });
    expect(await ask({ ...fields, 'Auth-Method': 'cram-md5', 'Auth-Pass': cram })).toMatchObject({
      'Auth-Status': 'OK',
    });
    expect(await ask({ ...fields, 'Auth-Method': 'cram-md5', 'Auth-Pass': apop })).toMatchObject(SMTP_REFUSED);
    expect(await ask({ 'Auth-User': 'joe', 'Auth-Method': 'apop', 'Auth-Pass': apop })).toMatchObject({
      'Auth-Error-Code': '501 5.5.2',
    });
  });

  it.each([
    ['verified', { 'Auth-SSL-Verify': 'SUCCESS' }, { 'Auth-Status': 'OK', 'Auth-User': 'joe' }],
    ['not verified', { 'Auth-SSL-Verify': 'FAILED:self-signed certificate' }, { 'Auth-Error-Code': '535 5.7.8' }],
    ['without a verdict', {}, { 'Auth-Error-Code': '535 5.7.8' }],
    ['without TLS', { 'Auth-SSL': 'off', 'Auth-SSL-Verify': 'SUCCESS' }, { 'Auth-Error-Code': '535 5.7.8' }],
    ['of another user', { 'Auth-SSL-Verify': 'SUCCESS', 'Auth-User': 'ann' }, { 'Auth-Error-Code': '535 5.7.8' }],
    ['absent', { 'Auth-SSL-Verify': 'SUCCESS', 'Auth-SSL-Cert': '' }, { 'Auth-Error-Code': '535 5.7.8' }],
    ['garbage', { 'Auth-SSL-Verify': 'SUCCESS', 'Auth-SSL-Cert': '%30%31' }, { 'Auth-Error-Code': '535 5.7.8' }],
  ])('answers EXTERNAL with a certificate that is %s', async (_kind, fields, answer) => {
    const { client } = await testCertificates();
    const { ask } = server();
    const certificate = { 'Auth-SSL': 'on', 'Auth-SSL-Cert': encodeURIComponent(client.cert) };
    const request = { 'Auth-Method': 'external', 'Auth-User': '', 'Auth-Pass': '', ...certificate, ...fields };
    expect(await ask(request)).toMatchObject(answer);
  });

  it('refuses a client without a login unless the portal lets Anonymous in', async () => {
    const none = { 'Auth-Method': 'none', 'Auth-User': '', 'Auth-SMTP-Helo': 'client.example' };
    expect(await server().ask(none)).toEqual({
      status: 200,
      'Auth-Status': 'Authentication required',
      'Auth-Error-Code': '530 5.7.0',
    });
    const minds: Mind[] = [];
    const realm = new AvatarRealm().provide(NginxBackEnd, (_id: AvatarId, mind: Mind) => {
      minds.push(mind);
      return new NginxBackEnd('[2001:db8::25]:25');
    });
    const portal = new Portal(realm).register(new AnonymousChecker(), Anonymous);
    expect(await server({ portal }).ask(none)).toEqual({
      status: 200,
      'Auth-Status': 'OK',
      'Auth-Server': '2001:db8::25',
      'Auth-Port': '25',
    });
    expect(minds[0]).toMatchObject({
      protocol: 'smtp',
      clientName: 'client.example',
      remote: { address: '192.0.2.7' },
    });
  });

  it.each([
    ['smtp', { 'Auth-Status': 'Authentication failed', 'Auth-Error-Code': '535 5.7.8', 'Auth-Wait': '3' }],
    ['imap', { 'Auth-Status': '[AUTHENTICATIONFAILED] Authentication failed', 'Auth-Wait': '3' }],
    ['pop3', { 'Auth-Status': '[AUTH] authentication failed', 'Auth-Wait': '3' }],
  ])('refuses a wrong password of %s in the words of the protocol', async (protocol, answer) => {
    const fields = { 'Auth-Protocol': protocol, 'Auth-User': 'joe', 'Auth-Pass': 'wrong' };
    expect(await server().ask(fields)).toEqual({ status: 200, ...answer });
    expect(await server().ask({ ...fields, 'Auth-User': 'unknown' })).toEqual({ status: 200, ...answer });
  });

  it('has nginx close the connection after the last attempt', async () => {
    const { ask } = server({ limits: { maxLoginFailures: 2, loginFailureDelay: 1_200, minFailureDelay: 0 } });
    const wrong = { 'Auth-User': 'joe', 'Auth-Pass': 'wrong' };
    expect(await ask({ ...wrong, 'Auth-Login-Attempt': '1' })).toHaveProperty('Auth-Wait', '2');
    expect(await ask({ ...wrong, 'Auth-Login-Attempt': '2' })).not.toHaveProperty('Auth-Wait');
    expect(await ask({ ...wrong, 'Auth-Login-Attempt': '99' })).not.toHaveProperty('Auth-Wait');
  });

  it.each(['smtp', 'imap', 'pop3'])('answers a failed back end of %s without Auth-Wait', async (protocol) => {
    const realm = new AvatarRealm().provide(Identity, identityOf);
    const broken = checker([Anonymous], () => Promise.reject(new Error('the database is down')));
    const { ask, events } = server({ portal: new Portal(realm).register(broken) });
    const answer = await ask({ 'Auth-Protocol': protocol, 'Auth-Method': 'none' });
    expect(answer['Auth-Status']).toMatch(/[Tt]emporary authentication failure$/);
    expect(answer['Auth-Error-Code']).toBe(protocol === 'smtp' ? '454 4.7.0' : undefined);
    expect(answer).not.toHaveProperty('Auth-Wait');
    expect(events.map(({ kind }) => kind)).toEqual(['error']);
  });

  it('answers a throttled client without Auth-Wait', async () => {
    const realm = new AvatarRealm().provide(Identity, identityOf);
    const throttled = checker([Anonymous], () => {
      throw new LoginDenied('too-many', undefined, { retryAfter: 60_000 });
    });
    const answer = await server({ portal: new Portal(realm).register(throttled) }).ask({ 'Auth-Method': 'none' });
    expect(answer).toMatchObject({ 'Auth-Error-Code': '454 4.7.0' });
    expect(answer).not.toHaveProperty('Auth-Wait');
  });

  it('refuses names that nginx cannot pass on', async () => {
    const { ask } = server();
    expect(await ask({ 'Auth-User': escaped('ann müller'), 'Auth-Pass': escaped('pä ss%wörd') })).toMatchObject(
      SMTP_REFUSED,
    );
    expect(await ask({ 'Auth-User': 'joe%0d%0aAuth-Status:%20OK', 'Auth-Pass': 'secret' })).toMatchObject(SMTP_REFUSED);
  });

  it('needs a password for the back end after CRAM-MD5 for IMAP', async () => {
    const cram = createHmac('md5', 'secret').update(SALT).digest('hex');
    const fields = {
      'Auth-Protocol': 'imap',
      'Auth-Method': 'cram-md5',
      'Auth-User': 'joe',
      'Auth-Salt': SALT,
      'Auth-Pass': cram,
    };
    const without = server();
    expect(await without.ask(fields)).toMatchObject({
      'Auth-Status': '[UNAVAILABLE] Temporary authentication failure',
    });
    expect(without.events[0]).toMatchObject({ kind: 'error', culprit: 'operator' });
    const realm = new AvatarRealm().provide(
      NginxBackEnd,
      (id) => new NginxBackEnd('127.0.0.1:143', { username: `${String(id)}@example.com`, password: 'master' }),
    );
    const portal = new Portal(realm).register(new InMemoryUsernamePasswordDatabaseDontUse(USERS));
    expect(await server({ portal }).ask(fields)).toMatchObject({
      'Auth-Status': 'OK',
      'Auth-Port': '143',
      'Auth-User': 'joe@example.com',
      'Auth-Pass': 'master',
    });
  });

  it('reports requests without the secret once a minute', async () => {
    const { ask, events } = server({ secret: 'key' });
    await ask({ 'Auth-User': 'joe', 'Auth-Pass': 'secret' });
    await ask({ 'Auth-User': 'joe', 'Auth-Pass': 'secret', 'X-Auth-Key': 'other' });
    expect(events).toMatchObject([
      { kind: 'error', culprit: 'operator', cause: { message: 'a request without X-Auth-Key' } },
    ]);
  });

  it('lets a client in although its logout fails, and reports that', async () => {
    const realm = {
      requestAvatar: () => ({
        avatar: new NginxBackEnd('127.0.0.1:25') as never,
        logout: () => Promise.reject(new Error('the session is lost')),
      }),
    };
    const portal = new Portal(realm).register(new InMemoryUsernamePasswordDatabaseDontUse(USERS));
    const { ask, events } = server({ portal });
    expect(await ask({ 'Auth-User': 'joe', 'Auth-Pass': 'secret' })).toMatchObject({ 'Auth-Status': 'OK' });
    expect(events.map(({ kind }) => kind)).toEqual(['authenticated', 'error']);
  });

  it('refuses requests without the secret, and shows none of its fields', async () => {
    const { ask } = server({ secret: 'kęy' });
    const right = { 'Auth-User': 'joe', 'Auth-Pass': 'secret' };
    expect(await ask(right)).toEqual({ status: 403 });
    expect(await ask({ ...right, 'X-Auth-Key': 'key' })).toEqual({ status: 403 });
    const key = Buffer.from('kęy').toString('latin1');
    expect(await ask({ ...right, 'X-Auth-Key': key })).toMatchObject({ 'Auth-Status': 'OK' });
  });

  it.each([
    ['no protocol', { 'Auth-Protocol': undefined }],
    ['another protocol', { 'Auth-Protocol': 'SMTP' }],
    ['no method', { 'Auth-Method': undefined }],
    ['no client', { 'Client-IP': undefined }],
    ['a host name as the client', { 'Client-IP': 'client.example' }],
    ['an attempt that is no number', { 'Auth-Login-Attempt': '-1' }],
  ])('answers 400 to a request with %s', async (_kind, fields) => {
    expect(await server().ask(fields)).toEqual({ status: 400 });
  });

  it('answers 400 to a repeated field, in any case of letters', async () => {
    const { answer } = server();
    const headers = [...rawHeaders({ 'Auth-User': 'joe', 'Auth-Pass': 'secret' }), 'auth-user', 'ann'];
    expect(await answer({ headers })).toEqual({ status: 400, headers: new Map() });
  });

  it('refuses a password of 1 MiB', async () => {
    expect(await server().ask({ 'Auth-User': 'joe', 'Auth-Pass': '%20'.repeat(349_525) })).toMatchObject(SMTP_REFUSED);
  });

  it('answers an unknown method, and an escape that nginx does not write, as malformed', async () => {
    const malformed = { 'Auth-Error-Code': '501 5.5.2' };
    expect(await server().ask({ 'Auth-Method': 'ntlm' })).toMatchObject(malformed);
    expect(await server().ask({ 'Auth-User': 'joe%2', 'Auth-Pass': 'secret' })).toMatchObject(malformed);
  });

  it('accepts exactly the password that nginx escapes, for any octets', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), async (password) => {
        fc.pre(!password.includes('\0') && password.isWellFormed());
        const realm = new AvatarRealm().provide(Identity, identityOf);
        const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: password });
        const { ask } = server({ portal: new Portal(realm).register(users) });
        const answer = await ask({ 'Auth-User': 'joe', 'Auth-Pass': escaped(password) });
        expect(answer['Auth-Status']).toBe('OK');
      }),
    );
  });

  it('reports a login, and a refusal without the user name', async () => {
    const { ask, events } = server();
    await ask({ 'Auth-User': 'joe', 'Auth-Pass': 'secret' });
    await ask({ 'Auth-User': 'joe', 'Auth-Pass': 'wrong' });
    expect(events).toMatchObject([
      { kind: 'authenticated', mechanism: 'PLAIN', avatarId: 'joe' },
      { kind: 'login-refused', mechanism: 'PLAIN', reply: { code: '535 5.7.8' } },
    ]);
    expect(JSON.stringify(events)).not.toMatch(/secret|wrong/);
    expect(events[1]).not.toHaveProperty('username');
  });

  it('logs the user out before the answer', async () => {
    const { ask, portal } = server();
    await ask({ 'Auth-User': 'joe', 'Auth-Pass': 'secret' });
    expect(portal.openLogins).toBe(0);
  });

  it.each(['mail.example:25', '127.0.0.1', '127.0.0.1:0', '127.0.0.1:70000', '::1:25', '[127.0.0.1]:25', ''])(
    'throws for the back end %j',
    (smtp) => {
      expect(() => server({ backEnds: { smtp } })).toThrow(/^backEnds\.smtp: .*expected an IP address and a port/);
    },
  );

  it('throws for an empty secret and for limits that are too small', () => {
    expect(() => server({ secret: '' })).toThrow(TypeError);
    expect(() => server({ limits: { maxLoginFailures: 0 } })).toThrow(RangeError);
    expect(() => server({ limits: { loginFailureDelay: Number.NaN } })).toThrow(RangeError);
  });
});

const SMTP_REFUSED = { 'Auth-Status': 'Authentication failed', 'Auth-Error-Code': '535 5.7.8' };

type Fields = Readonly<Record<string, string | undefined>>;

function server(options: Partial<NginxMailOptions> = {}) {
  const events: NginxMailEvent[] = [];
  const portal =
    options.portal ??
    new Portal(new AvatarRealm().provide(Identity, identityOf))
      .register(new InMemoryUsernamePasswordDatabaseDontUse(USERS))
      .register(checker([ExternalIdentity], ({ certificate }) => /^CN=(\w+)$/m.exec(certificate.subject)?.[1]));
  const answer = nginxMail({
    backEnds: { smtp: '127.0.0.1:587', imap: '127.0.0.1:143', pop3: '127.0.0.1:110' },
    limits: { minFailureDelay: 0 },
    onEvent: (event) => events.push(event),
    ...options,
    portal,
  });
  const ask = async (fields: Fields): Promise<Record<string, unknown>> => {
    const { headers, status } = await answer({ headers: rawHeaders(fields) });
    return { status, ...Object.fromEntries(headers) };
  };
  return { answer, ask, events, portal };
}

/** The header of a request as nginx 1.22 sends it, with some fields changed. */
function rawHeaders(fields: Fields): string[] {
  const all: Fields = {
    Host: '127.0.0.1',
    'Auth-Method': 'plain',
    'Auth-User': 'joe',
    'Auth-Pass': '',
    'Auth-Protocol': 'smtp',
    'Auth-Login-Attempt': '1',
    'Client-IP': '192.0.2.7',
    'Client-Host': '[UNAVAILABLE]',
    ...fields,
  };
  return Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

/** Escapes as `ngx_mail_auth_http_escape` does: octets up to 0x20, and `%`. */
function escaped(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[\0-\x20%]/g, (octet) => `%${octet.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`);
}
