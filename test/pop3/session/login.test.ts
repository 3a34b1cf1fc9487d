import { createHash } from 'node:crypto';
import {
  AvatarRealm,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  type MaybePromise,
  NoAvatar,
  PasswordProof,
  Portal,
  TemporaryFailure,
  UsernamePassword,
} from '@postern/cred';
import { ApopCredentials, Mailbox, MailboxInUse } from '@postern/pop3';
import { cramMd5, plain } from '@postern/sasl';
import { describe, expect, test } from 'vitest';
import { GREETED, RecordingMailbox, Server } from '../server.ts';

/** The digest of APOP for the timestamp that the script has captured. */
const digest =
  (password: string) =>
  (captured: ReadonlyMap<string, string>): string =>
    createHash('md5')
      .update(`${captured.get('stamp')}${password}`)
      .digest('hex');

const STAMPED = `
S: +OK pop.example.com POP3 server ready {stamp}`;

/** A server whose realm and checker may fail. */
function serverWith(mailboxOf: () => MaybePromise<Mailbox>, check: () => MaybePromise<string> = () => 'ann'): Server {
  const realm = new AvatarRealm().provide(Mailbox, mailboxOf);
  const checker = { credentialInterfaces: [UsernamePassword], requestAvatarId: check };
  return new Server({ portal: new Portal(realm).register(checker) });
}

describe('USER and PASS', () => {
  test('log in, with spaces in the password', async () => {
    const users = new InMemoryUsernamePasswordDatabaseDontUse({ 'ann lee': ' a  b ' });
    const portal = new Portal(new AvatarRealm().provide(Mailbox, () => new RecordingMailbox())).register(users);
    const server = new Server({ portal });
    await server.play(`${GREETED}
      C: user ann lee
      S: +OK send PASS
      C: pass  a  b${' '}
      S: +OK maildrop has 2 messages (80 octets)
    `);
    expect(server.events).toContainEqual(
      expect.objectContaining({ kind: 'authenticated', mechanism: 'USER', avatarId: 'ann lee' }),
    );
  });

  test('log in with UTF-8 in both prepared forms (RFC 6856 §2.2)', async () => {
    const users = new InMemoryUsernamePasswordDatabaseDontUse({ jos\u00e9: 'pa\u00dfwort' });
    const portal = new Portal(new AvatarRealm().provide(Mailbox, () => new RecordingMailbox())).register(users);
    await new Server({ portal }).play(`${GREETED}
      C: USER jose\u0301
      S: +OK send PASS
      C: PASS pa\u00dfwort
      S: +OK maildrop has 2 messages (80 octets)
    `);
  });

  test('are refused without a word on what was wrong, and can be tried again', async () => {
    const server = new Server({ logUsernames: true });
    await server.play(`${GREETED}
      C: USER nobody
      S: +OK send PASS
      C: PASS secret
      S: -ERR [AUTH] authentication failed
      C: USER ann
      S: +OK send PASS
      C: PASS wrong
      S: -ERR [AUTH] authentication failed
      C: USER ann\\xff
      S: +OK send PASS
      C: PASS secret
      S: -ERR [AUTH] authentication failed
      C: USER ann
      S: +OK send PASS
      C: PASS secret
      S: +OK maildrop has 2 messages (80 octets)
    `);
    const refused = server.events.filter(({ kind }) => kind === 'login-refused');
    expect(refused).toHaveLength(3);
    expect(refused[1]).toMatchObject({
      mechanism: 'USER',
      username: 'ann',
      reply: '-ERR [AUTH] authentication failed',
    });
    expect(server.kinds()).not.toContain('command-refused');
  });

  test('need a USER before each PASS', async () => {
    await new Server().play(`${GREETED}
      C: PASS secret
      S: -ERR send USER first
      C: USER ann
      S: +OK send PASS
      C: PASS wrong
      S: -ERR [AUTH] authentication failed
      C: PASS secret
      S: -ERR send USER first
    `);
  });

  test('are refused before the password is sent, without TLS and from another machine', async () => {
    const options = {
      tlsPolicy: 'offered',
      remote: { family: 'IPv4', address: '192.0.2.1', port: 40_000 },
    } as const;
    const challengers = [cramMd5({ hostname: 'pop.example.com' }), plain()];
    await new Server({ challengers }).play(
      `${GREETED}
      C: CAPA
      S: +OK Capability list follows
      S: TOP
      S: UIDL
      S: RESP-CODES
      S: AUTH-RESP-CODE
      S: PIPELINING
      S: EXPIRE NEVER
      S: UTF8 USER
      S: SASL CRAM-MD5
      S: STLS
      S: IMPLEMENTATION Postern
      S: .
      C: USER ann
      S: -ERR encryption required, issue STLS first
      C: PASS secret
      S: -ERR encryption required, issue STLS first
      C: AUTH PLAIN
      S: -ERR encryption required, issue STLS first
    `,
      options,
    );
  });

  test('are absent with disabledLoginCommands', async () => {
    await new Server({ disabledLoginCommands: ['USER', 'APOP'] }).play(`
      S: +OK pop.example.com POP3 server ready
      C: USER ann
      S: -ERR USER is not available
      C: APOP ann c4c9334bac560ecc979e58001b3e22fb
      S: -ERR APOP is not available
    `);
  });
});

describe('APOP', () => {
  test('has the digest of the RFC (RFC 1939 §7)', () => {
    const timestamp = '<1896.697170952@dbc.mtview.ca.us>';
    const credentials = new ApopCredentials('mrose', timestamp, 'c4c9334bac560ecc979e58001b3e22fb');
    expect(credentials.checkPassword('tanstaaf')).toBe(true);
    expect(credentials.checkPassword('tanstaa')).toBe(false);
    expect(credentials).toBeInstanceOf(PasswordProof);
    expect(JSON.stringify(credentials)).toBe('{"username":"mrose"}');
  });

  test('accepts the digest of a stored password as SASLprep prepares it (RFC 6856 §2.2)', () => {
    const of = (password: string): string => createHash('md5').update(`<a@b>${password}`).digest('hex');
    // U+00AA has the compatibility form "a".
    expect(new ApopCredentials('ann', '<a@b>', of('a')).checkPassword('\u00aa')).toBe(true);
    expect(new ApopCredentials('ann', '<a@b>', of('\u00aa')).checkPassword('\u00aa')).toBe(true);
    expect(new ApopCredentials('ann', '<a@b>', of('b')).checkPassword('\u00aa')).toBe(false);
  });

  test('logs in with the timestamp of the greeting', async () => {
    const server = new Server();
    await server.play(
      `${STAMPED}
      C: APOP ann {digest}
      S: +OK maildrop has 2 messages (80 octets)
    `,
      { values: { digest: digest('secret') } },
    );
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'authenticated', mechanism: 'APOP' }));
  });

  test('refuses the digest of another connection', async () => {
    const server = new Server();
    let replayed = '';
    const remember = (captured: ReadonlyMap<string, string>): string => {
      replayed = digest('secret')(captured);
      return replayed;
    };
    await server.play(`${STAMPED}\nC: APOP ann {digest}\nS: +OK <any>`, { values: { digest: remember } });
    await server.play(
      `${STAMPED}
      C: APOP ann {replayed}
      S: -ERR [AUTH] authentication failed
    `,
      { values: { replayed: () => replayed } },
    );
  });

  test('is not offered by a portal without clear-text passwords', async () => {
    const checker = { credentialInterfaces: [UsernamePassword], requestAvatarId: () => 'ann' };
    const portal = new Portal(new AvatarRealm().provide(Mailbox, () => new RecordingMailbox())).register(checker);
    await new Server({ portal }).play(`
      S: +OK pop.example.com POP3 server ready
      C: APOP ann c4c9334bac560ecc979e58001b3e22fb
      S: -ERR APOP is not available
    `);
  });
});

describe('AUTH', () => {
  test('takes an initial response, as RFC 5034 §6 shows', async () => {
    const users = new InMemoryUsernamePasswordDatabaseDontUse({ test: 'test' });
    const portal = new Portal(new AvatarRealm().provide(Mailbox, () => new RecordingMailbox())).register(users);
    await new Server({ portal }).play(`${GREETED}
      C: AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q=
      S: +OK maildrop has 2 messages (80 octets)
    `);
  });

  test('asks for the response with an empty challenge', async () => {
    await new Server().play(`${GREETED}
      C: AUTH plain
      S: +${' '}
      C: {base64:\\0ann\\0secret}
      S: +OK maildrop has 2 messages (80 octets)
    `);
  });

  test('lists the mechanisms without an argument', async () => {
    await new Server({ challengers: [cramMd5({ hostname: 'pop.example.com' }), plain()] }).play(
      `${GREETED}
      C: AUTH
      S: +OK
      S: CRAM-MD5
      S: PLAIN
      S: .
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: +OK <any>
      C: AUTH
      S: -ERR command not valid after login
    `,
    );
  });

  test('ends at *, at bad base64 and at a response that is too long', async () => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN
      S: +${' '}
      C: *
      S: -ERR authentication cancelled
      C: AUTH PLAIN
      S: +${' '}
      C: =AAA
      S: -ERR malformed authentication response
      C: AUTH PLAIN
      S: +${' '}
      C: {repeat:12289:A}
      S: -ERR authentication response is too long
      C: AUTH CRAM-MD5 AAAA
      S: -ERR this mechanism takes no initial response
      C: AUTH XFOO
      S: -ERR unrecognized authentication mechanism
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: +OK <any>
    `);
  });

  test('takes a response of 12,288 octets', async () => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN
      S: +${' '}
      C: {repeat:12288:A}
      S: -ERR malformed authentication response
    `);
  });
});

describe('the outcome of a login', () => {
  test('is IN-USE for a locked mailbox, which is no guess and no error of the server', async () => {
    const server = serverWith(() => {
      throw new MailboxInUse();
    });
    const attempt = 'C: USER ann\nS: +OK send PASS\nC: PASS x\nS: -ERR [IN-USE] maildrop already locked\n';
    await server.play(`S: +OK <any>\n${attempt.repeat(12)}`);
    expect(server.kinds()).toEqual(['connected', ...Array<string>(12).fill('login-refused'), 'closed']);
    expect(server.events[1]).toMatchObject({ error: { code: 'in-use' } });
  });

  test('is SYS/TEMP for a failure of the server, which is one error', async () => {
    const server = serverWith(
      () => new RecordingMailbox(),
      () => Promise.reject(new TemporaryFailure('the database is down')),
    );
    await server.play(`S: +OK <any>
      C: USER ann
      S: +OK send PASS
      C: PASS secret
      S: -ERR [SYS/TEMP] temporary authentication failure
    `);
    expect(server.kinds()).toEqual(['connected', 'error', 'command-refused', 'closed']);
    expect(server.events[1]).toMatchObject({ culprit: 'us', during: 'PASS' });
  });

  test('is SYS/PERM for a user without a mailbox', async () => {
    const server = serverWith(() => Promise.reject(new NoAvatar('no mailbox')));
    await server.play(`S: +OK <any>
      C: USER ann
      S: +OK send PASS
      C: PASS secret
      S: -ERR [SYS/PERM] no maildrop for this user
    `);
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', culprit: 'operator' }));
  });

  test('is SYS/TEMP for a throttled client', async () => {
    const server = serverWith(
      () => new RecordingMailbox(),
      () => Promise.reject(new LoginDenied('too-many')),
    );
    await server.play(`S: +OK <any>
      C: USER ann
      S: +OK send PASS
      C: PASS secret
      S: -ERR [SYS/TEMP] temporary authentication failure
    `);
  });

  test('closes the connection after the last failed login', async () => {
    const attempt = 'C: USER ann\nS: +OK send PASS\nC: PASS x\nS: -ERR [AUTH] authentication failed\n';
    const server = new Server({ limits: { maxLoginFailures: 3 } });
    await server.play(`${GREETED}
      ${attempt.repeat(2)}
      C: USER ann
      S: +OK send PASS
      C: PASS x
      S: -ERR [AUTH] too many failed logins
      S: <closed>
    `);
  });

  test('is delayed after the first failed logins', async () => {
    const attempt = 'C: USER ann\nS: +OK send PASS\nC: PASS x\n';
    await new Server({ limits: { undelayedLoginFailures: 1, loginFailureDelay: 5_000 } }).play(`${GREETED}
      ${attempt}
      S: -ERR [AUTH] authentication failed
      ${attempt}
      S: <silence>
      C: <advance 5s>
      S: -ERR [AUTH] authentication failed
    `);
  });
});
