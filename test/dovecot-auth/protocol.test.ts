import {
  AnonymousChecker,
  AvatarRealm,
  type Credentials,
  checker,
  Identity,
  identityOf,
  Portal,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { anonymous, cramMd5, ExternalIdentity, external, login, plain, scram } from '@postern/sasl';
import { describe, expect, test } from 'vitest';
import { AuthServer, greeted, HANDSHAKE } from './server.ts';

const JOE = '{base64:\\0joe\\0s3cret}';

/** A portal whose only checker runs this function. */
function portalOf(judge: (credentials: UsernamePassword) => Promise<string> | string, identity = identityOf): Portal {
  const realm = new AvatarRealm().provide(Identity, identity);
  return new Portal(realm).register(checker([UsernamePassword], judge));
}

const SHORT = String.raw`
  S: VERSION\t1\t3
  S: MECH\tPLAIN\tplaintext
  S: SPID\t<any>
  S: CUID\t<any>
  S: COOKIE\t<any>
  S: DONE
`;

describe('the handshake', () => {
  test('lists for a remote mail server only mechanisms that hide the password, and at least PLAIN', async () => {
    const remote = { client: { family: 'IPv4', address: '192.0.2.1', port: 40_000 } } as const;
    await new AuthServer({ challengers: [plain(), login()] }).play(SHORT, remote);
    await new AuthServer({ challengers: [plain()], mechanismPolicy: { allowCleartext: true } }).play(
      `${SHORT}
      C: AUTH\\t1\\tPLAIN\\tresp=${JOE}
      S: OK\\t1\\tuser=joe`,
      remote,
    );
  });

  test('lists SCRAM-SHA-1 and SCRAM-SHA-256 only with listGnuScram', async () => {
    const server = new AuthServer({ listGnuScram: true });
    await server.play(
      HANDSHAKE.replace(
        '  S: MECH\\tSCRAM-SHA-224',
        '  S: MECH\\tSCRAM-SHA-256\\tmutual-auth\n  S: MECH\\tSCRAM-SHA-224',
      ).replace('  S: MECH\\tCRAM-MD5', '  S: MECH\\tSCRAM-SHA-1\\tmutual-auth\n  S: MECH\\tCRAM-MD5'),
    );
  });

  test('lists no mechanism by the TLS of the mail server', async () => {
    const portal = portalOf(() => 'joe').register(
      checker([ExternalIdentity], () => {
        throw new Error('the certificate is the mail server’s');
      }),
    );
    const certificate = { verified: true, subject: 'CN=mx', subjectAltName: undefined, fingerprint256: '00' };
    const server = new AuthServer({ portal, challengers: [external(), plain()] });
    await server.play(
      `${SHORT}
      C: AUTH\\t1\\tEXTERNAL\\tresp==
      S: FAIL\\t1`,
      { tlsPolicy: 'implicit', tls: { peerCertificate: certificate } },
    );
    await new AuthServer({ challengers: [scram({ hash: 'sha512', plus: true }), plain()] }).play(SHORT, {
      tlsPolicy: 'implicit',
    });
  });

  test('never lists ANONYMOUS, also if the options name it', async () => {
    const portal = portalOf(() => 'joe').register(new AnonymousChecker());
    await new AuthServer({ portal }).play(`${SHORT.replace('  S: SPID', '  S: MECH\\tLOGIN\\tplaintext\n  S: SPID')}
      C: AUTH\\t1\\tANONYMOUS\\tresp==
      S: FAIL\\t1`);
    await new AuthServer({ portal, challengers: [plain(), anonymous()] }).play(`${SHORT}
      C: AUTH\\t1\\tANONYMOUS\\tresp==
      S: FAIL\\t1`);
  });

  test.each([
    ['another major version', 'VERSION\\t2\\t0', 'the major version 2'],
    ['no minor version', 'VERSION\\t1', 'a VERSION without two numbers'],
    ['a second VERSION', 'VERSION\\t1\\t0\nC: VERSION\\t1\\t0', 'a second VERSION'],
    ['an unknown command', 'HELO', 'an unknown command'],
    ['an AUTH without a mechanism', 'AUTH\\t1', 'an AUTH without a valid id and a mechanism'],
    ['an AUTH with an empty mechanism', 'AUTH\\t1\\t\\tresp=', 'an AUTH without a valid id and a mechanism'],
    ['an id that is no number', 'AUTH\\tx\\tPLAIN', 'an AUTH without a valid id and a mechanism'],
    ['an id of more than 32 bits', 'AUTH\\t4294967296\\tPLAIN', 'an AUTH without a valid id and a mechanism'],
    ['a CONT without an id', 'CONT\\t', 'a CONT without a valid id'],
    ['a line that is too long', 'AUTH\\t1\\tPLAIN\\tresp={repeat:16384:A}', 'a line of more than 16384 octets'],
  ])('ends with one event after %s', async (_title, line, problem) => {
    const server = new AuthServer();
    await server.play(`${HANDSHAKE}
      C: ${line}
      S: <closed>`);
    expect(server.events).toMatchObject([{ kind: 'protocol-error', problem }]);
  });

  test('ends without an event for a mail server that says nothing', async () => {
    const server = new AuthServer();
    await server.play(`${HANDSHAKE}
      C: <end>
      S: <closed>`);
    await server.play(`${HANDSHAKE}
      C: <advance 61s>
      S: <closed>`);
    expect(server.events).toEqual([]);
  });

  test('lets a mail server that has spoken idle for days', async () => {
    await new AuthServer().play(`${greeted()}
      C: <advance 3000min>
      S: <silence>
      C: AUTH\\t1\\tPLAIN\\tresp=${JOE}
      S: OK\\t1\\tuser=joe`);
  });
});

describe('an exchange', () => {
  test('of LOGIN asks with CONT, and ignores garbage in parameters', async () => {
    const server = new AuthServer();
    await server.play(`${greeted()}
      C: AUTH\\t4294967295\\tLOGIN\\tservice=smtp\\trip=NULL\\tlip=\\trport=99999\\tnonsense\\tx=y\\tresp=
      S: CONT\\t4294967295\\tVXNlcm5hbWU6
      C: CONT\\t4294967295\\t{base64:joe}
      S: CONT\\t4294967295\\tUGFzc3dvcmQ6
      C: CONT\\t4294967295\\t{base64:s3cret}
      S: OK\\t4294967295\\tuser=joe`);
    expect(server.events[0]?.mind.remote).toEqual({ family: 'unix', address: '', port: 0 });
  });

  test('has an empty challenge with its second TAB', async () => {
    await new AuthServer().play(`${greeted()}
      C: AUTH\\t1\\tPLAIN\\tservice=smtp
      S: CONT\\t1\\t
      C: CONT\\t1\\t${JOE}
      S: OK\\t1\\tuser=joe`);
  });

  test.each([0, 1])('takes an empty resp= of minor %i as absent', async (minor) => {
    await new AuthServer().play(`${greeted(minor)}
      C: AUTH\\t1\\tPLAIN\\tresp=
      S: CONT\\t1\\t`);
  });

  test('takes an empty resp= of minor 2, and resp==, as an empty response', async () => {
    await new AuthServer().play(`${greeted(2)}
      C: AUTH\\t1\\tPLAIN\\tresp=
      S: FAIL\\t1
      C: AUTH\\t2\\tPLAIN\\tresp==
      S: FAIL\\t2`);
  });

  test('fails at once for an initial response that is not base64', async () => {
    const server = new AuthServer();
    await server.play(`${greeted(2)}
      C: AUTH\\t1\\tPLAIN\\tresp==AAA
      S: FAIL\\t1\\tcode=invalid_base64
      C: AUTH\\t2\\tPLAIN\\tresp=AAAA\\tlip=192.0.2.1
      S: FAIL\\t2\\tcode=invalid_base64`);
    expect(server.events).toMatchObject([{ error: { code: 'malformed' } }, { error: { code: 'malformed' } }]);
  });

  test('fails for a mechanism that is unknown or not listed, and the connection stays', async () => {
    const server = new AuthServer();
    await server.play(`${greeted()}
      C: AUTH\\t1\\tX-UNKNOWN\\tresp=
      S: FAIL\\t1
      C: AUTH\\t2\\tSCRAM-SHA-256\\tresp=
      S: FAIL\\t2
      C: AUTH\\t3\\tPLAIN\\tresp=${JOE}
      S: OK\\t3\\tuser=joe`);
    expect(server.kinds).toEqual(['login-refused', 'login-refused', 'authenticated']);
  });

  test.each([
    ['an empty CONT of Exim whose client has hung up', 'CONT\\t1\\t', 'cancelled'],
    ['a CONT without its TAB', 'CONT\\t1', 'cancelled'],
    ['a CONT with a command of SMTP', 'CONT\\t1\\tQUIT!', 'malformed'],
  ])('fails at once and judges nothing after %s', async (_title, line, code) => {
    const server = new AuthServer({
      portal: portalOf(() => {
        throw new Error('not reached');
      }),
      challengers: [plain()],
    });
    await server.play(`${SHORT}
      C: AUTH\\t1\\tPLAIN
      S: CONT\\t1\\t
      C: ${line}
      S: FAIL\\t1`);
    expect(server.events).toMatchObject([{ kind: 'login-refused', error: { code }, reply: 'FAIL' }]);
  });

  test('ends without a verdict after an empty CONT to the question of a checker', async () => {
    const realm = new AvatarRealm().provide(Identity, identityOf);
    const portal = new Portal(realm).register(
      checker([UsernamePassword], async (_credentials, { exchange }) => {
        await exchange?.ask(Buffer.from('Code:'));
        throw new Error('not reached');
      }),
    );
    const server = new AuthServer({ portal, challengers: [plain()] });
    await server.play(`${SHORT}
      C: AUTH\\t1\\tPLAIN\\tresp=${JOE}
      S: CONT\\t1\\t{base64:Code:}
      C: CONT\\t1\\t
      S: FAIL\\t1`);
    expect(server.events).toMatchObject([{ kind: 'login-refused', error: { code: 'cancelled' } }]);
  });

  test.each([
    [0, 2_000],
    [1_999, 2_000],
    [7_900, 7_900],
  ])('that a checker refuses after %i ms has its FAIL after %i ms', async (duration, expected) => {
    const server: AuthServer = new AuthServer({
      portal: portalOf(async () => {
        await new Promise<void>((resolve) => void server.clock.after(duration, resolve));
        throw new UnauthorizedLogin();
      }),
      challengers: [plain()],
    });
    const failsAt = (time: number): string => `C: <advance ${time - 1}ms>
      S: <silence>
      C: <advance 1ms>
      S: FAIL\\t1`;
    await server.play(`${SHORT}
      C: AUTH\\t1\\tPLAIN\\tresp=${JOE}
      ${failsAt(expected)}`);
  });

  test('fails for a CONT of an unknown id, and for one that nothing asked for', async () => {
    const server = new AuthServer({ portal: portalOf(() => new Promise(() => {})), challengers: [plain()] });
    await server.play(`${SHORT}
      C: CONT\\t5\\tAAAA
      S: FAIL\\t5\\treason=Authentication request timed out
      C: AUTH\\t6\\tPLAIN\\tresp=${JOE}
      C: CONT\\t6\\tAAAA
      S: FAIL\\t6`);
  });

  test('ends by CANCEL, which minor 4 is told of', async () => {
    const script = (minor: number, reply: string): string => `${greeted(minor)}
      C: AUTH\\t1\\tLOGIN
      S: CONT\\t1\\tVXNlcm5hbWU6
      C: CANCEL\\t1
      ${reply}
      C: CONT\\t1\\tAAAA
      S: FAIL\\t1\\treason=Authentication request timed out
      C: CANCEL\\t77
      S: <silence>`;
    await new AuthServer().play(script(0, 'S: <silence>'));
    await new AuthServer().play(script(4, 'S: CANCELLED\\t1'));
  });

  test('ends after 150 seconds of silence of the client', async () => {
    const server = new AuthServer();
    await server.play(`${greeted()}
      C: AUTH\\t1\\tLOGIN
      S: CONT\\t1\\tVXNlcm5hbWU6
      C: <advance 149s>
      S: <silence>
      C: <advance 1s>
      S: FAIL\\t1`);
    expect(server.clock.pending).toBeLessThanOrEqual(1);
  });

  test('of CRAM-MD5 runs beside others, in any order', async () => {
    await new AuthServer({ challengers: [cramMd5({ hostname: 'x.example' }), login()] }).play(`
      S: VERSION\\t1\\t3
      S: MECH\\tCRAM-MD5\\tdictionary\\tactive
      S: MECH\\tLOGIN\\tplaintext
      S: SPID\\t<any>
      S: CUID\\t<any>
      S: COOKIE\\t<any>
      S: DONE
      C: AUTH\\t1\\tLOGIN
      C: AUTH\\t2\\tCRAM-MD5
      C: AUTH\\t3\\tLOGIN
      S: CONT\\t1\\tVXNlcm5hbWU6
      S: CONT\\t2\\t<any>
      S: CONT\\t3\\tVXNlcm5hbWU6
      C: CONT\\t3\\t{base64:ann}
      S: CONT\\t3\\tUGFzc3dvcmQ6
      C: CONT\\t1\\t{base64:joe}
      S: CONT\\t1\\tUGFzc3dvcmQ6
      C: CONT\\t3\\t{base64:pa55word}
      S: OK\\t3\\tuser=ann
      C: CONT\\t1\\t{base64:s3cret}
      S: OK\\t1\\tuser=joe`);
  });

  test('with the id of an open request closes the connection with one event', async () => {
    const server = new AuthServer();
    await server.play(`${greeted()}
      C: AUTH\\t1\\tLOGIN
      C: AUTH\\t1\\tLOGIN
      S: CONT\\t1\\tVXNlcm5hbWU6
      S: <closed>`);
    expect(server.events).toMatchObject([
      { kind: 'protocol-error', problem: 'an AUTH with the id 1 of an open request' },
    ]);
  });

  test('ends, the oldest that waits for its client first, where one more would be too many', async () => {
    await new AuthServer({ limits: { maxRequests: 2 } }).play(`${greeted()}
      C: AUTH\\t1\\tLOGIN
      C: AUTH\\t2\\tLOGIN
      C: AUTH\\t3\\tLOGIN
      S: CONT\\t1\\tVXNlcm5hbWU6
      S: CONT\\t2\\tVXNlcm5hbWU6
      S: CONT\\t3\\tVXNlcm5hbWU6
      S: FAIL\\t1`);
  });
});

describe('OK', () => {
  test('has user= first, then the attributes, escaped', async () => {
    const attributes = new Map([
      ['quota', 'a\tb\n\x01'],
      ['user', 'eve'],
      ['resp', 'AAAA'],
      ['bad name\n', 'x'],
    ]);
    const portal = portalOf(
      () => 'joé',
      () => new Identity('joé\t', attributes),
    );
    await new AuthServer({ portal, challengers: [plain()] }).play(`${SHORT}
      C: AUTH\\t1\\tPLAIN\\tresp=${JOE}
      S: OK\\t1\\tuser=joé\\x01t\\tquota=a\\x01tb\\x01n\\x011`);
  });

  test('never has an empty user=', async () => {
    const portal = portalOf(
      () => 'joe',
      () => new Identity(''),
    );
    const server = new AuthServer({ portal, challengers: [plain()] });
    await server.play(`${SHORT}
      C: VERSION\\t1\\t2
      C: AUTH\\t1\\tPLAIN\\tresp=${JOE}
      S: FAIL\\t1\\tcode=temp_fail`);
    expect(server.events).toMatchObject([{ kind: 'error', culprit: 'operator', during: 'AUTH' }]);
  });
});

describe('a temporary failure', () => {
  const broken = (credentials: Credentials): Promise<string> =>
    credentials.username === 'joe' ? Promise.reject(new Error('the database is down')) : Promise.resolve('ann');

  test('closes the connection of minor 0, for that alone makes Postfix answer 454', async () => {
    const server = new AuthServer({ portal: portalOf(broken), challengers: [plain()] });
    await server.play(`${SHORT}
      C: AUTH\\t1\\tPLAIN\\tresp=${JOE}
      S: <closed>`);
    expect(server.events).toMatchObject([{ kind: 'error', culprit: 'us', during: 'AUTH' }]);
  });

  test('closes the connection of minor 0 after the other requests, at most a second later', async () => {
    let admit: ((name: string) => void) | undefined;
    const waiting = new Promise<string>((resolve) => {
      admit = resolve;
    });
    const judge = (credentials: UsernamePassword): Promise<string> =>
      credentials.username === 'ann' ? waiting : broken(credentials);
    const server = new AuthServer({ portal: portalOf(judge), challengers: [plain()] });
    server.clock.after(950, () => admit?.('ann'));
    await server.play(`${SHORT}
      C: AUTH\\t1\\tPLAIN\\tresp={base64:\\0ann\\0x}
      C: AUTH\\t2\\tPLAIN\\tresp=${JOE}
      C: <advance 900ms>
      C: AUTH\\t3\\tPLAIN\\tresp=${JOE}
      C: <advance 60ms>
      S: OK\\t1\\tuser=ann
      S: <closed>`);
    const hung = new AuthServer({
      portal: portalOf((c) => (c.username === 'ann' ? new Promise(() => {}) : broken(c))),
      challengers: [plain()],
    });
    await hung.play(`${SHORT}
      C: AUTH\\t1\\tPLAIN\\tresp={base64:\\0ann\\0x}
      C: AUTH\\t2\\tPLAIN\\tresp=${JOE}
      S: <silence>
      C: <advance 1s>
      S: <closed>`);
  });

  test('is FAIL code=temp_fail for minor 2', async () => {
    const server = new AuthServer({ portal: portalOf(broken), challengers: [plain()] });
    await server.play(`${SHORT}
      C: VERSION\\t1\\t2
      C: AUTH\\t1\\tPLAIN\\tresp=${JOE}
      S: FAIL\\t1\\tcode=temp_fail
      C: AUTH\\t2\\tPLAIN\\tresp={base64:\\0ann\\0x}
      S: OK\\t2\\tuser=ann`);
  });

  test("follows eight seconds of the server's own work", async () => {
    const server = new AuthServer({ portal: portalOf(() => new Promise(() => {})), challengers: [plain()] });
    await server.play(`${SHORT}
      C: VERSION\\t1\\t2
      C: AUTH\\t1\\tPLAIN\\tresp=${JOE}
      C: <advance 7999ms>
      S: <silence>
      C: <advance 1ms>
      S: FAIL\\t1\\tcode=temp_fail`);
    expect(server.events).toMatchObject([
      { kind: 'error', culprit: 'us', cause: { message: 'the login took more than 8000 ms' } },
    ]);
  });
});

describe('a server that shuts down', () => {
  test('closes an idle connection at once', async () => {
    const server = new AuthServer();
    await server.play(`${greeted()}
      C: <advance 1s>
      C: <closing>
      S: <closed>`);
    expect(server.events).toEqual([]);
  });

  test('finishes the requests in flight first', async () => {
    await new AuthServer().play(`${greeted()}
      C: AUTH\\t1\\tLOGIN
      S: CONT\\t1\\tVXNlcm5hbWU6
      C: <closing>
      S: <silence>
      C: CONT\\t1\\t{base64:joe}
      S: CONT\\t1\\tUGFzc3dvcmQ6
      C: CONT\\t1\\t{base64:s3cret}
      S: OK\\t1\\tuser=joe
      S: <closed>`);
    await new AuthServer().play(`${greeted()}
      C: AUTH\\t1\\tLOGIN
      S: CONT\\t1\\tVXNlcm5hbWU6
      C: <closing>
      C: <advance 8s>
      S: <closed>`);
  });
});
