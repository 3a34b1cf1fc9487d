import { AnonymousChecker, AvatarRealm, checker, Identity, identityOf, Portal, UsernamePassword } from '@postern/cred';
import { type DovecotAuthOptions, dovecotAuth, logTo } from '@postern/dovecot-auth';
import { anonymous, plain } from '@postern/sasl';
import { portalFor } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { AuthServer, greeted } from './server.ts';

const WRONG = '{base64:\\0joe\\0wrong}';

describe('dovecotAuth()', () => {
  const portal = portalFor({ joe: 's3cret' }, Identity, identityOf);

  test('has the scheme of its URLs', () => {
    expect(dovecotAuth({ hostname: 'mail.example.com', portal }).scheme).toBe('dovecot-auth');
  });

  test.each<[string, Partial<DovecotAuthOptions>, string]>([
    ['a hostname that is no domain', { hostname: 'mail example' }, 'hostname: expected an ASCII domain'],
    ['no portal', { portal: undefined as unknown as Portal }, 'portal: expected a Portal'],
    ['a realm without identities', { portal: new Portal(new AvatarRealm()) }, 'its realm provides no Identity'],
    [
      'a portal without a checker',
      { portal: new Portal(new AvatarRealm().provide(Identity, identityOf)) },
      'it has no checker for any mechanism',
    ],
    [
      'a portal whose only mechanism is ANONYMOUS',
      {
        portal: new Portal(new AvatarRealm().provide(Identity, identityOf)).register(new AnonymousChecker()),
        challengers: [anonymous()],
      },
      'it has no checker for any mechanism',
    ],
    ['a limit that Postfix does not wait for', { limits: { loginFailureDelay: 9_001 } }, 'because Postfix waits 10 s'],
    ['an unknown limit', { limits: { maxLines: 1 } as never }, 'unknown limit "maxLines"'],
  ])('refuses %s', (_title, options, message) => {
    expect(() => dovecotAuth({ hostname: 'mail.example.com', portal, ...options })).toThrow(message);
  });

  test('reports the user name of a refused login only with logUsernames, to the log and to minor 2', async () => {
    const server = new AuthServer({ logUsernames: true, limits: { loginFailureDelay: 0 } });
    await server.play(`${greeted(2)}
      C: AUTH\\t1\\tPLAIN\\tservice=smtp\\tresp=${WRONG}
      S: FAIL\\t1\\tuser=joe`);
    expect(server.events).toMatchObject([{ kind: 'login-refused', username: 'joe' }]);
  });

  test('lists PLAIN and fails temporarily when its checkers have vanished', async () => {
    const judges = checker([UsernamePassword], () => 'joe');
    const vanishing = { ...judges, credentialInterfaces: [UsernamePassword] as (typeof UsernamePassword)[] };
    const gone = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(vanishing);
    const server = new AuthServer({ portal: gone, challengers: [plain()] });
    vanishing.credentialInterfaces = [];
    const handshake = String.raw`
      S: VERSION\t1\t3
      S: MECH\tPLAIN\tplaintext
      S: SPID\t<any>
      S: CUID\t<any>
      S: COOKIE\t<any>
      S: DONE`;
    await server.play(`${handshake}
      C: AUTH\\t1\\tPLAIN\\tresp=${WRONG}
      S: <closed>`);
    expect(server.events).toMatchObject([
      { kind: 'error', culprit: 'operator', cause: { message: expect.stringMatching(/^PLAIN: no checker is left/) } },
    ]);
  });
});

test('logTo logs one entry for each login, refusal and protocol error, without secrets', async () => {
  const entries: [string, object, string][] = [];
  const write = (level: string) => (fields: object, message: string) => void entries.push([level, fields, message]);
  const onEvent = logTo({ info: write('info'), warn: write('warn'), error: write('error') });
  const server = new AuthServer({ onEvent, limits: { loginFailureDelay: 0 } });
  await server.play(`${greeted()}
    C: AUTH\\t1\\tPLAIN\\tservice=smtp\\trip=192.0.2.9\\trport=4\\tresp={base64:\\0joe\\0s3cret}
    S: OK\\t1\\tuser=joe
    C: AUTH\\t2\\tPLAIN\\tservice=smtp\\trip=2001:db8::1\\tresp=${WRONG}
    S: FAIL\\t2
    C: BAD
    S: <closed>`);
  expect(entries).toEqual([
    ['info', { remote: '192.0.2.9:4', mechanism: 'PLAIN', user: 'joe', service: 'smtp' }, 'logged in'],
    [
      'info',
      { remote: '[2001:db8::1]:0', mechanism: 'PLAIN', code: 'unauthorized', reply: 'FAIL', service: 'smtp' },
      'login refused',
    ],
    ['warn', { remote: 'unix', problem: 'an unknown command' }, 'protocol error'],
  ]);
});
