import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import {
  ANONYMOUS,
  Anonymous,
  type AvatarId,
  AvatarRealm,
  type Checker,
  Credentials,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  PasswordProof,
  Portal,
  type Realm,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { esmtp, MessageDelivery } from '@postern/esmtp';
import { anonymous, BearerToken, type Challenger, cramMd5, encodeUtf8, login, plain } from '@postern/sasl';
import { FakeClock, settle } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, RecordingDelivery, Server } from './server.ts';

const FAILED = 'S: 535 5.7.8 Authentication failed';

/** A server whose one checker of passwords does as it is told. */
function serverWith(
  requestAvatarId: (credentials: UsernamePassword) => AvatarId | Promise<AvatarId>,
  options: ConstructorParameters<typeof Server>[0] = {},
): Server {
  const clock = new FakeClock();
  const delivery = new RecordingDelivery();
  const portal = new Portal(
    new AvatarRealm().provide(MessageDelivery, () => delivery),
    { clock },
  );
  const checker: Checker<UsernamePassword> = { credentialInterfaces: [UsernamePassword], requestAvatarId };
  return new Server({ portal: portal.register(checker), delivery, clock, ...options });
}

describe('AUTH, case by case', () => {
  test('1: before EHLO it is 503', async () => {
    await new Server().play(`
      S: 220...
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Send EHLO first`);
  });

  test('2: after HELO it is 503', async () => {
    await new Server().play(`
      S: 220...
      C: HELO client.example.org
      S: 250 mx.example.com
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Bad sequence of commands`);
  });

  test('3: without an argument it is 501', async () => {
    await new Server().play(`${GREETED}
      C: AUTH
      S: 501 5.5.4 Syntax error in the argument`);
  });

  test('4: with too many arguments it is 501', async () => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN {base64:\\0ann\\0secret} more
      S: 501 5.5.4 Syntax error in the argument`);
  });

  test('5: an unknown mechanism is 504', async () => {
    await new Server().play(`${GREETED}
      C: AUTH KLINGON
      S: 504 5.5.4 Unrecognised authentication mechanism
      C: AUTH ../../etc/passwd
      S: 504 5.5.4 Unrecognised authentication mechanism
      C: AUTH __proto__
      S: 504 5.5.4 Unrecognised authentication mechanism`);
  });

  test('6: the mechanism may be in lower case, and the verb', async () => {
    await new Server().play(`${GREETED}
      C: auth plain {base64:\\0ann\\0secret}
      S: 235 2.7.0 Authentication succeeded`);
  });

  test('7: a mechanism left out is neither advertised nor accepted', async () => {
    await new Server({ challengers: [login()] }).play(`
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH LOGIN
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 504 5.5.4 Unrecognised authentication mechanism`);
  });

  test('8: a second AUTH after success is 503', async () => {
    await new Server().play(`${GREETED}${LOGIN}
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Authenticated already`);
  });

  test('9: and so it is after RSET and after another EHLO', async () => {
    await new Server().play(`${GREETED}${LOGIN}
      C: RSET
      S: 250...
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Authenticated already
      C: EHLO client.example.org
      S: 250...
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Authenticated already`);
  });

  test('10: during a mail transaction it is 503', async () => {
    await new Server({ guests: true, authentication: 'optional' }).play(`${GREETED}
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Bad sequence of commands
      C: RCPT TO:<bob@example.com>
      S: 250...
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Bad sequence of commands`);
  });

  test('11: a mechanism that needs TLS is not advertised without it, and is 538, whatever the password', async () => {
    await new Server({ challengers: [plain(), cramMd5({ hostname: 'mx.example.com' })] }).play(
      `
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH CRAM-MD5
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 538 5.7.11 Encryption required for requested authentication mechanism
      C: AUTH PLAIN {base64:\\0ann\\0wrong}
      S: 538 5.7.11 Encryption required for requested authentication mechanism
      C: AUTH PLAIN
      S: 538 5.7.11 Encryption required for requested authentication mechanism`,
      { tlsPolicy: 'none' },
    );
  });

  test('11: to a peer on this machine it is offered without TLS', async () => {
    await new Server({ challengers: [plain()] }).play(
      `
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH PLAIN${LOGIN}`,
      { tlsPolicy: 'none', client: { family: 'IPv4', address: '127.0.0.1', port: 40_000 } },
    );
  });

  test('12: over implicit TLS it works', async () => {
    await new Server().play(`${GREETED}${LOGIN}`, { tlsPolicy: 'implicit' });
  });

  test('13: where TLS is required everything of weight is 530 before it', async () => {
    const script = ['AUTH PLAIN', 'MAIL FROM:<ann@example.com>', 'VRFY ann', 'HELP', 'RSET', 'HELO client.example.org']
      .map((command) => `\nC: ${command}\nS: 530 5.7.0 Must issue a STARTTLS command first`)
      .join('');
    await new Server().play(
      `
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 STARTTLS
      C: NOOP
      S: 250...
      ${script}
      C: STARTTLS
      S: 220 2.0.0 Ready to start TLS
      C: <starttls>
      C: EHLO client.example.org
      S: 250...${LOGIN}`,
      { tlsPolicy: 'required' },
    );
  });

  test('14: a portal with a checker for guests alone advertises nothing, and AUTH is 504', async () => {
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery()));
    const guests = { guests: true, authentication: 'optional', challengers: [plain(), login()] } as const;
    await new Server({ portal, ...guests }).play(`
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 REQUIRETLS
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 504 5.5.4 Unrecognised authentication mechanism`);
  });

  test('15: PLAIN with an initial response', async () => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN AGFubgBzZWNyZXQ=
      S: 235 2.7.0 Authentication succeeded`);
  });

  test('15: two blanks where one belongs are let pass', async () => {
    await new Server().play(`${GREETED}
      C: AUTH  PLAIN  AGFubgBzZWNyZXQ=
      S: 235 2.7.0 Authentication succeeded`);
  });

  test('16: PLAIN without one: the challenge is the code and a blank', async () => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: AGFubgBzZWNyZXQ=\nS: 235 2.7.0 Authentication succeeded`,
    );
  });

  test('17: LOGIN prompts for Username: and Password:', async () => {
    await new Server().play(`${GREETED}
      C: AUTH LOGIN
      S: 334 VXNlcm5hbWU6
      C: {base64:ann}
      S: 334 UGFzc3dvcmQ6
      C: {base64:secret}
      S: 235 2.7.0 Authentication succeeded`);
  });

  test('17: its prompts can be others', async () => {
    const challengers = [login({ usernamePrompt: 'Who?', passwordPrompt: 'Proof?' })];
    await new Server({ challengers }).play(`${GREETED}
      C: AUTH LOGIN
      S: 334 {base64:Who?}
      C: {base64:ann}
      S: 334 {base64:Proof?}
      C: {base64:secret}
      S: 235 2.7.0 Authentication succeeded`);
  });

  test('18: LOGIN with the user name as initial response', async () => {
    await new Server().play(`${GREETED}
      C: AUTH LOGIN {base64:ann}
      S: 334 UGFzc3dvcmQ6
      C: {base64:secret}
      S: 235 2.7.0 Authentication succeeded`);
  });

  test('19: an empty line as LOGIN password goes to the checker, as one that nobody has', async () => {
    const passwords: string[] = [];
    const server = serverWith(({ username, password }) => {
      passwords.push(password);
      return username;
    });
    await server.play(`${GREETED}\nC: AUTH LOGIN {base64:ann}\nS: 334 UGFzc3dvcmQ6\nC:\nS: 235...`);
    expect(passwords).toEqual([expect.stringMatching(/^.{43}$/)]);
  });

  test('20: the initial response = is an empty one', async () => {
    const heard: (Uint8Array | undefined)[] = [];
    const challenger: Challenger<UsernamePassword> = {
      mechanism: 'TEST',
      credentials: UsernamePassword,
      exposesSecret: false,
      async challenge(ask, initialResponse) {
        heard.push(initialResponse);
        heard.push(await ask(encodeUtf8('')));
        return new UsernamePassword('ann', 'secret');
      },
    };
    await new Server({ challengers: [challenger] }).play(`${GREETED}\nC: AUTH TEST =\nS: 334 \nC:\nS: 235...`);
    expect(heard.map((bytes) => bytes?.length)).toEqual([0, 0]);
  });

  test('20: = is no response later on', async () => {
    await new Server().play(`${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: =\nS: 501 5.5.2 Malformed authentication response`);
  });

  test('21: * cancels; the session stays usable and AUTH may be tried again', async () => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: *\nS: 501 5.7.0 Authentication cancelled\nC: NOOP\nS: 250...${LOGIN}`,
    );
  });

  test.each([
    '=AAA',
    'AAA=BBB',
    'AAA=AAAA',
    'QQ',
    'QQ=',
    'QR==',
    'QQ==QQ==',
    'AHUA!!cA==',
    'A-_A',
    'AGFubgBzZWNyZXQ=\\x80',
    'AGFubgBzZWNyZXQ=\\0',
    '*AAA',
    '**',
  ])('22, 23: %j is no base64, in a response or at once', async (base64) => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: ${base64}\nS: 501 5.5.2 Malformed authentication response
      C: AUTH PLAIN ${base64}
      S: 501 {/5\\.5\\.[24]/} <any>${LOGIN}`,
    );
  });

  test.each(['AGFu bgBzZWNyZXQ=', 'AGFubgBzZWNyZXQ= ', ' AGFubgBzZWNyZXQ=', 'AGFub\\tgBzZWNyZXQ='])(
    '23: a blank is none: %j',
    async (base64) => {
      await new Server().play(
        `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: ${base64}\nS: 501 5.5.2 Malformed authentication response`,
      );
    },
  );

  test.each(['ann\\0secret', '\\0ann\\0secret\\0', 'annsecret', '\\0\\0\\0\\0'])(
    '24: PLAIN %j is 501',
    async (message) => {
      await new Server().play(
        `${GREETED}\nC: AUTH PLAIN {base64:${message}}\nS: 501 5.5.2 Malformed authentication response`,
      );
    },
  );

  test.each([
    '\\0\\0secret',
    '\\0ann\\0',
    '\\0an\\x07n\\0secret',
    '\\0ann\\0secret\\t',
    '\\0\\xff\\0secret',
    '\\0ann\\0\\xff',
  ])('26: PLAIN %j is as a wrong password is, since only the credentials are wrong', async (message) => {
    await new Server().play(`${GREETED}\nC: AUTH PLAIN {base64:${message}}\n${FAILED}`);
  });

  test('25: an authzid that is not the user is refused by default, as a wrong password is', async () => {
    await new Server().play(`${GREETED}\nC: AUTH PLAIN {base64:bob\\0ann\\0secret}\n${FAILED}`);
  });

  test('25: the own name as authzid is fine', async () => {
    await new Server().play(`${GREETED}\nC: AUTH PLAIN {base64:ann\\0ann\\0secret}\nS: 235...`);
  });

  test('26: an unknown user and a wrong password get one answer', async () => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\n${FAILED}\nC: AUTH PLAIN {base64:\\0nobody\\0wrong}\n${FAILED}`,
    );
  });

  test('26: and both not before the floor', async () => {
    for (const name of ['ann', 'nobody']) {
      await new Server({ limits: { minFailureDelay: 250 } }).play(`${GREETED}
        C: AUTH PLAIN {base64:\\0${name}\\0wrong}
        C: <advance 249ms>
        S: <silence>
        C: <advance 1ms>
        ${FAILED}`);
    }
  });

  test('26: a disabled account and a policy get it too', async () => {
    for (const reason of ['disabled', 'expired', 'not-authorized', 'policy'] as const) {
      const server = serverWith(() => {
        throw new LoginDenied(reason);
      });
      await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0secret}\n${FAILED}`);
    }
  });

  test.each([
    ['transition-needed', '432 4.7.12 A password transition is needed'],
    ['mechanism-too-weak', '534 5.7.9 Authentication mechanism is too weak'],
    ['too-many', '454 4.7.0 Temporary authentication failure'],
  ] as const)('26: what the user can mend is said: %s', async (reason, reply) => {
    const server = serverWith(() => {
      throw new LoginDenied(reason);
    });
    await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: ${reply}`);
  });

  test('27: success is 235 2.7.0', async () => {
    await new Server().play(`${GREETED}${LOGIN}`);
  });

  test.each([
    ['28: a backend that is down', () => Promise.reject(new Error('secret-host:5432 refused ann/secret'))],
    [
      '29: a backend that throws',
      () => {
        throw new TypeError('secret of the backend');
      },
    ],
    ['29: a backend that throws nonsense', () => Promise.reject(undefined)],
  ])('%s is 454 with a text of ours, and no reason to count', async (_title, requestAvatarId) => {
    const server = serverWith(requestAvatarId, { limits: { maxLoginFailures: 1, minFailureDelay: 0 } });
    const transcript = await server.play(`${GREETED}
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 454 4.7.0 Temporary authentication failure
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 454 4.7.0 Temporary authentication failure`);
    expect(transcript).not.toContain('backend');
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', culprit: 'us', during: 'AUTH' }));
  });

  test('30: a mechanism without a checker for its credentials is not advertised, and is 504', async () => {
    const server = serverWith(({ username }) => username);
    await server.play(`
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH PLAIN LOGIN
      C: AUTH CRAM-MD5
      S: 504 5.5.4 Unrecognised authentication mechanism`);
  });

  test('30: a challenger that makes other credentials than it said is 504', async () => {
    class Other extends Credentials {
      readonly username = 'ann';
    }
    const challenger = { ...plain(), challenge: async () => new Other() };
    const server = new Server({ challengers: [challenger] });
    await server.play(`${GREETED}\nC: AUTH PLAIN =\nS: 504 5.5.4 Unrecognised authentication mechanism`);
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', culprit: 'operator' }));
  });

  test('30: a realm that has no MessageDelivery for the user is the operator’s trouble', async () => {
    const users = new InMemoryUsernamePasswordDatabaseDontUse();
    users.addUser('ann', 'secret');
    const empty = new AvatarRealm();
    const realm: Realm = { requestAvatar: (...login) => empty.requestAvatar(...login) };
    const server = new Server({ portal: new Portal(realm).register(users) });
    await server.play(
      `${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: 454 4.7.0 Temporary authentication failure`,
    );
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', culprit: 'operator' }));
  });

  test('34: CRAM-MD5 with the right digest', async () => {
    await new Server().play(
      `${GREETED}
      C: AUTH CRAM-MD5
      S: 334 {challenge}
      C: {response}
      S: 235 2.7.0 Authentication succeeded`,
      { values: { response: (caught) => cramResponse(caught.get('challenge') ?? '', 'ann', 'secret') } },
    );
  });

  test('35: a CRAM-MD5 response without a blank is 501', async () => {
    await new Server().play(`${GREETED}
      C: AUTH CRAM-MD5
      S: 334 {challenge}
      C: {base64:annb913a602c7eda7a495b4e6e7334d3890}
      S: 501 5.5.2 Malformed authentication response`);
  });

  test('36: CRAM-MD5 with an initial response is 501 5.7.0', async () => {
    await new Server().play(`${GREETED}
      C: AUTH CRAM-MD5 {base64:ann b913a602c7eda7a495b4e6e7334d3890}
      S: 501 5.7.0 This mechanism takes no initial response
      C: AUTH CRAM-MD5 =
      S: 501 5.7.0 This mechanism takes no initial response`);
  });

  test('37: the CRAM-MD5 challenge is a message id of this host, another one each time', async () => {
    const challenges = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const transcript = await new Server().play(`${GREETED}\nC: AUTH CRAM-MD5\nS: 334 {challenge}\nC: *\nS: 501...`);
      const base64 = /^S: 334 (.*)$/m.exec(transcript)?.[1] ?? '';
      challenges.add(Buffer.from(base64, 'base64').toString());
    }
    expect(challenges.size).toBe(20);
    for (const challenge of challenges) expect(challenge).toMatch(/^<[^<>@ ]{16,}@mx\.example\.com>$/);
  });

  test('38: a response of 12,288 octets is taken', async () => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: {repeat:3072:QUFB}\nS: 501 5.5.2 Malformed authentication response`,
    );
  });

  test('38: a longer one is 500 5.5.6, and the exchange is left', async () => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: {repeat:3072:QUFB}Q\nS: 500 5.5.6 Authentication exchange line is too long\nC: NOOP\nS: 250...${LOGIN}`,
    );
  });

  test('39: the AUTH command takes an initial response of 12,288 octets', async () => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN {repeat:3072:QUFB}
      S: 501 5.5.2 Malformed authentication response`);
  });

  test.each([1, 100, 100_000])('39: %i octets more are 500 5.5.6', async (more) => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN {repeat:3072:QUFB}{repeat:${more}:Q}
      S: 500 5.5.6 Authentication exchange line is too long${LOGIN}`);
  });

  test('40: three failures are answered at once, the later ones late, the tenth is the last', async () => {
    const attempt = '\nC: AUTH PLAIN {base64:\\0ann\\0wrong}';
    await new Server().play(
      `${GREETED}${`${attempt}\n${FAILED}`.repeat(3)}${`${attempt}
      C: <advance 4999ms>
      S: <silence>
      C: <advance 1ms>
      ${FAILED}`.repeat(6)}${attempt}
      S: 421 4.7.0 Too many failed logins
      S: <closed>`,
    );
  });

  test('40: the right password in between is welcome, and not delayed', async () => {
    await new Server({ limits: { undelayedLoginFailures: 1 } }).play(
      `${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\n${FAILED}${LOGIN}`,
    );
  });

  test('40: whoever leaves during the delay is let go', async () => {
    const server = new Server({ limits: { undelayedLoginFailures: 0 } });
    await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\nS: <silence>\nC: <close>`);
    expect(server.kinds()).toEqual(['connected', 'login-refused', 'closed']);
  });

  test('41: commands pipelined while a login is pending wait their turn', async () => {
    const { promise, resolve } = Promise.withResolvers<AvatarId>();
    const server = serverWith(() => promise);
    const script = `${GREETED}
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      C: MAIL FROM:<ann@example.com>
      C: NOOP
      C: QUIT
      S: <silence>
      C: <raw {free}>
      S: 235 2.7.0 Authentication succeeded
      S: 250 2.1.0 Sender OK
      S: 250 2.0.0 OK
      S: 221...
      S: <closed>`;
    await server.play(script, {
      values: {
        free: () => {
          resolve('ann');
          return '';
        },
      },
    });
  });

  test.each(['close', 'reset', 'end'])('42: a client that leaves (%s) during a login cancels it', async (word) => {
    const aborted: boolean[] = [];
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery()));
    const checker: Checker<UsernamePassword> = {
      credentialInterfaces: [UsernamePassword],
      requestAvatarId: (_credentials, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(true);
            reject(signal.reason as Error);
          });
        }),
    };
    const server = new Server({ portal: portal.register(checker) });
    await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: <silence>\nC: <${word}>`);
    expect(aborted).toEqual([true]);
    expect(portal.openLogins).toBe(0);
    expect(server.kinds()).toEqual(['connected', 'closed']);
  });

  test('42: an avatar that comes after the client left is logged out', async () => {
    const late = Promise.withResolvers<RecordingDelivery>();
    const users = new InMemoryUsernamePasswordDatabaseDontUse();
    users.addUser('ann', 'secret');
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => late.promise)).register(users);
    const server = new Server({ portal });
    await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: <silence>\nC: <close>`);
    late.resolve(server.delivery);
    await expect.poll(() => server.delivery.calls).toEqual(['logout']);
    expect(portal.openLogins).toBe(0);
  });

  test('43: who sent mail as a guest and then authenticates is logged out as a guest first', async () => {
    const log: string[] = [];
    class Avatar extends RecordingDelivery {
      readonly #name: string;

      constructor(avatarId: AvatarId) {
        super();
        this.#name = String(avatarId === ANONYMOUS ? 'guest' : avatarId);
        log.push(`${this.#name} in`);
      }

      override logout(): void {
        log.push(`${this.#name} out`);
      }
    }
    const users = new InMemoryUsernamePasswordDatabaseDontUse();
    users.addUser('ann', 'secret');
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, (id) => new Avatar(id)));
    portal.register(users).register({ credentialInterfaces: [Anonymous], requestAvatarId: () => ANONYMOUS });
    await new Server({ portal, authentication: 'optional' }).play(`${GREETED}
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RSET
      S: 250...${LOGIN}
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: QUIT
      S: 221...`);
    expect(log).toEqual(['guest in', 'guest out', 'ann in', 'ann out']);
  });

  test('43: a login as ANONYMOUS is a login', async () => {
    await new Server({ guests: true, challengers: [anonymous()] }).play(`${GREETED}
      C: AUTH ANONYMOUS c2lyaGM=
      S: 235...
      C: AUTH ANONYMOUS c2lyaGM=
      S: 503 5.5.1 Authenticated already`);
  });

  test('44: a client that says nothing in the exchange gets 421 4.4.2', async () => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: <advance 301s>\nS: 421 4.4.2 Took too long, closing the connection\nS: <closed>`,
    );
  });

  test('44: and so does one whose login takes too long in all', async () => {
    const rounds: Challenger<UsernamePassword> = {
      mechanism: 'ENDLESS',
      credentials: UsernamePassword,
      exposesSecret: false,
      async challenge(ask) {
        for (;;) await ask(encodeUtf8('more'));
      },
    };
    const more = '\nS: 334 bW9yZQ==\nC: <advance 50s>\nC: QUFB';
    await new Server({ challengers: [rounds] }).play(
      `${GREETED}\nC: AUTH ENDLESS${more.repeat(2)}\nS: 334 bW9yZQ==\nC: <advance 50s>\nS: 421 4.4.2 Took too long, closing the connection\nS: <closed>`,
    );
  });

  test('44: of a login that took too long nothing is left that waits', async () => {
    const server = new Server();
    await server.play(`${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: <advance 121s>\nS: 421 4.4.2...\nS: <closed>`);
    await server.clock.advance(10_000);
    expect(server.clock.pending).toBe(0);
  });

  test('45: STARTTLS after AUTH resets all, and logs out', async () => {
    const server = new Server({ mechanismPolicy: { allowCleartext: true } });
    await server.play(
      `${GREETED}${LOGIN}
      C: STARTTLS
      S: 220...
      C: <starttls>
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Send EHLO first
      C: EHLO client.example.org
      S: 250...
      C: MAIL FROM:<ann@example.com>
      S: 530 5.7.0 Authentication required${LOGIN}
      C: MAIL FROM:<ann@example.com>
      S: 250...`,
      { tlsPolicy: 'offered' },
    );
    expect(server.delivery.calls).toEqual(['logout', 'from', 'logout']);
  });

  test('46: STARTTLS twice is 503, and it is not advertised under TLS', async () => {
    const transcript = await new Server().play(
      `${GREETED}
      C: STARTTLS
      S: 220...
      C: <starttls>
      C: EHLO client.example.org
      S: 250...
      C: STARTTLS
      S: 503 5.5.1 TLS is active already`,
      { tlsPolicy: 'offered' },
    );
    expect(transcript.split('<starttls>').map((part) => part.includes('250-STARTTLS'))).toEqual([true, false]);
  });

  test('47: clear text pipelined behind STARTTLS ends the connection, before TLS', async () => {
    await new Server().play(
      `${GREETED}
      C: STARTTLS
      C: EHLO attacker.example.org
      S: 421 4.7.0 Nothing may be sent behind STARTTLS before TLS is up
      S: <closed>`,
      { tlsPolicy: 'offered' },
    );
  });

  test('48: EHLO lists what can be used here and now, and nothing else', async () => {
    const script = `
      S: 220...
      C: EHLO client.example.org
      S: 250-mx.example.com
      S: 250-PIPELINING
      S: 250-SIZE 26214400
      S: 250-LIMITS RCPTMAX=1000
      S: 250-8BITMIME
      S: 250-BINARYMIME
      S: 250-CHUNKING
      S: 250-DSN
      S: 250-ENHANCEDSTATUSCODES
      S: 250-SMTPUTF8`;
    const challengers = [plain(), login()];
    await new Server({ challengers }).play(`${script}\nS: 250-REQUIRETLS\nS: 250 AUTH PLAIN LOGIN`);
    await new Server({ challengers }).play(`${script}\nS: 250 STARTTLS`, { tlsPolicy: 'offered' });
    const bare = script.replace('250-SMTPUTF8', '250 SMTPUTF8');
    await new Server({ challengers }).play(bare, { tlsPolicy: 'none' });
  });

  test.each(['MAIL FROM:<ann@example.com>', 'RCPT TO:<bob@example.com>', 'DATA', 'HELP', 'VRFY ann'])(
    '49: %s is 530 where authentication is required',
    async (command) => {
      await new Server({ guests: true }).play(`${GREETED}\nC: ${command}\nS: 530 5.7.0 Authentication required`);
    },
  );

  test.each(['NOOP', 'RSET', 'EHLO client.example.org', 'HELO client.example.org', 'QUIT'])(
    '49: %s is not',
    async (command) => {
      await new Server().play(`${GREETED}\nC: ${command}\nS: ${command === 'QUIT' ? '221' : '250'}...`);
    },
  );

  test('50: MAIL without AUTH is 530 if the portal has no checker for guests', async () => {
    await new Server({ authentication: 'optional' }).play(`${GREETED}
      C: MAIL FROM:<ann@example.com>
      S: 530 5.7.0 Authentication required`);
  });

  test('51: and 550 if that checker refuses', async () => {
    const refuse = {
      credentialInterfaces: [Anonymous],
      requestAvatarId: () => Promise.reject(new UnauthorizedLogin()),
    };
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery())).register(
      refuse,
    );
    await new Server({ portal, authentication: 'optional' }).play(`${GREETED}
      C: MAIL FROM:<ann@example.com>
      S: 550 5.7.1 Not allowed without authentication`);
  });

  test('51: and 451 if it does not work', async () => {
    const broken = { credentialInterfaces: [Anonymous], requestAvatarId: () => Promise.reject(new Error('down')) };
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery())).register(
      broken,
    );
    await new Server({ portal, authentication: 'optional' }).play(`${GREETED}
      C: MAIL FROM:<ann@example.com>
      S: 451 4.3.0 Something went wrong here, try again later`);
  });

  test('52: MAIL before EHLO is 503', async () => {
    await new Server({ guests: true, authentication: 'optional' }).play(`
      S: 220...
      C: MAIL FROM:<ann@example.com>
      S: 503 5.5.1 Send EHLO first`);
  });

  test('53: MAIL takes AUTH=, also from who has not authenticated, and believes nobody', async () => {
    const server = new Server({ guests: true, authentication: 'optional' });
    const heard: unknown[] = [];
    server.delivery.onFrom = (_path, { auth }) => void heard.push(auth);
    const mail = (auth: string): string =>
      `\nC: MAIL FROM:<ann@example.com> AUTH=${auth}\nS: 250...\nC: RSET\nS: 250...`;
    await server.play(`${GREETED}${mail('<>')}${mail('e+3Dmc2@example.com')}${LOGIN}${mail('e+3Dmc2@example.com')}`);
    expect(heard).toEqual([null, null, null]);
  });

  test('53: unless the user is trusted', async () => {
    const server = new Server({
      guests: true,
      authentication: 'optional',
      trustAuthParameter: (_mind, id) => id === 'ann',
    });
    const heard: unknown[] = [];
    server.delivery.onFrom = (_path, { auth }) => void heard.push(auth);
    const mail = (auth: string): string =>
      `\nC: MAIL FROM:<ann@example.com> AUTH=${auth}\nS: 250...\nC: RSET\nS: 250...`;
    await server.play(`${GREETED}${mail('e+3Dmc2@example.com')}${LOGIN}${mail('e+3Dmc2@example.com')}${mail('<>')}`);
    expect(heard).toEqual([null, 'e=mc2@example.com', null]);
  });

  test('53: a submitter may be in UTF-8 (RFC 6531), and what is neither that nor ASCII is none', async () => {
    const server = new Server({ trustAuthParameter: () => true });
    const heard: unknown[] = [];
    server.delivery.onFrom = (_path, { auth }) => void heard.push(auth);
    await server.play(
      `${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com> AUTH=+C3+BC@example.com\nS: 250...\nC: RSET\nS: 250...\nC: MAIL FROM:<ann@example.com> AUTH=+FC@example.com\nS: 501...`,
    );
    expect(heard).toEqual(['ü@example.com']);
  });

  test.each(['', '=', 'e+3dmc2@example.com', 'e+@example.com', 'a=b@example.com', 'e+E2+80+AEa@example.com', '+C2+85'])(
    '53: AUTH=%s is 501',
    async (auth) => {
      await new Server().play(`${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com> AUTH=${auth}\nS: 501 5.5.4 <any>`);
    },
  );

  test.each(['not-a-mailbox', '<ann@example.com', 'joe'])('53: AUTH=%s is 501 at an MX', async (auth) => {
    await new Server({ service: 'mx', guests: true }).play(
      `${GREETED}\nC: MAIL FROM:<ann@example.com> AUTH=${auth}\nS: 501 5.5.4 <any>`,
    );
  });

  test.each(['not-a-mailbox', '<ann@example.com', 'joe'])(
    '53: AUTH=%s at a submission server names nobody',
    async (auth) => {
      const server = new Server({ trustAuthParameter: () => true });
      const heard: unknown[] = [];
      server.delivery.onFrom = (_path, parameters) => void heard.push(parameters.auth);
      await server.play(`${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com> AUTH=${auth}\nS: 250...`);
      expect(heard).toEqual([null]);
    },
  );

  test('56: a mechanism with a bad name, or two with one, are refused at the start', () => {
    const { portal } = new Server();
    const named = (mechanism: string): Challenger => ({ ...plain(), mechanism });
    const server =
      (...challengers: Challenger[]) =>
      () =>
        esmtp({ hostname: 'mx.example.com', portal, challengers });
    expect(server(named('X-LOWER'))).not.toThrow();
    for (const name of ['', 'lower', 'HAS BLANK', 'A'.repeat(21), 'X\r\nY'])
      expect(server(named(name))).toThrow(TypeError);
    expect(server(plain(), plain())).toThrow(TypeError);
  });
});

describe('a login', () => {
  test('a challenger of a custom mechanism runs as many rounds as it likes', async () => {
    const challenger: Challenger<UsernamePassword> = {
      mechanism: 'X-TWICE',
      credentials: UsernamePassword,
      exposesSecret: false,
      async challenge(ask) {
        const username = await ask(encodeUtf8('who'));
        const password = await ask(encodeUtf8('prove it'));
        return new UsernamePassword(Buffer.from(username).toString(), Buffer.from(password).toString());
      },
    };
    await new Server({ challengers: [challenger] }).play(`${GREETED}
      C: AUTH X-TWICE
      S: 334 {base64:who}
      C: {base64:ann}
      S: 334 {base64:prove it}
      C: {base64:secret}
      S: 235 2.7.0 Authentication succeeded`);
  });

  test('success data goes out as a challenge, whose answer is empty', async () => {
    class Talkative extends PasswordProof {
      readonly username = 'ann';
      override checkPassword = () => true;
      override accepted = async (ask: (challenge: Uint8Array) => Promise<Uint8Array>): Promise<void> => {
        await ask(encodeUtf8('welcome'));
      };
    }
    const challenger: Challenger = {
      mechanism: 'X-TALK',
      credentials: PasswordProof,
      exposesSecret: false,
      challenge: async () => new Talkative(),
    };
    const server = new Server({ challengers: [challenger] });
    await server.play(`${GREETED}\nC: AUTH X-TALK\nS: 334 {base64:welcome}\nC:\nS: 235 2.7.0 Authentication succeeded`);
    // RFC 4954 §4: the client may cancel even there.
    await server.play(`${GREETED}\nC: AUTH X-TALK\nS: 334 {base64:welcome}\nC: *\nS: 501 5.7.0 Authentication cancelled
      C: MAIL FROM:<ann@example.com>\nS: 530...`);
  });

  test('a challenger that throws is our trouble, in words of ours', async () => {
    const challenger = { ...plain(), challenge: () => Promise.reject(new Error('the secret of a bug')) };
    const server = new Server({ challengers: [challenger] });
    await server.play(`${GREETED}\nC: AUTH PLAIN =\nS: 454 4.7.0 Temporary authentication failure`);
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', culprit: 'us', during: 'AUTH' }));
  });

  test('responses pipelined behind an AUTH without initial response are its responses', async () => {
    await new Server().play(`${GREETED}
      C: AUTH LOGIN
      C: {base64:ann}
      C: {base64:secret}
      C: NOOP
      S: 334 VXNlcm5hbWU6
      S: 334 UGFzc3dvcmQ6
      S: 235 2.7.0 Authentication succeeded
      S: 250 2.0.0 OK`);
  });

  test('a bare LF in a response ends the exchange, and the connection', async () => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: AGFubg\\nBzZWNyZXQ=\nC: NOOP\nS: 501 5.5.2 Malformed authentication response\nS: <closed>`,
    );
  });

  test('that is refused is told of though the client does not wait to hear it', async () => {
    const wrong = `${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}`;
    for (const leave of ['S: <silence>\nC: <close>', 'S: <silence>\nC: <reset>', 'C: <end>\nS: <closed>']) {
      const server = new Server({ limits: { minFailureDelay: 250 } });
      await server.play(`${wrong}\n${leave}`);
      expect(server.events).toMatchObject([
        { kind: 'connected' },
        { kind: 'login-refused', mechanism: 'PLAIN', error: { code: 'unauthorized' }, reply: { code: 535 } },
        { kind: 'closed' },
      ]);
    }
  });

  test.each([
    ['<close>', ''],
    ['<advance 121s>', '\nS: 421 4.4.2...\nS: <closed>'],
    ['<closing>', '\nS: 421 4.3.2...\nS: <closed>'],
  ])('that is refused by a challenge is told of when its answer is %s', async (word, end) => {
    const checker: Checker<BearerToken> = {
      credentialInterfaces: [BearerToken],
      requestAvatarId: () => Promise.reject(new UnauthorizedLogin()),
    };
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery()));
    const server = new Server({ portal: portal.register(checker) });
    await server.play(
      `${GREETED}\nC: AUTH OAUTHBEARER {base64:n,,\\x01auth=Bearer wrong\\x01\\x01}\nS: 334 <any>\nC: ${word}${end}`,
    );
    await settle();
    const [, ...told] = server.events;
    expect(told.filter(({ kind }) => kind === 'error')).toEqual([]);
    expect(told).toContainEqual(
      expect.objectContaining({
        kind: 'login-refused',
        mechanism: 'OAUTHBEARER',
        reply: expect.objectContaining({ code: 535 }),
      }),
    );
  });

  test('that nobody has decided about when the client leaves is not told of as refused', async () => {
    const checker: Checker<UsernamePassword> = {
      credentialInterfaces: [UsernamePassword],
      requestAvatarId: () => new Promise(() => {}),
    };
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery()));
    const server = new Server({ portal: portal.register(checker) });
    await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: <silence>\nC: <close>`);
    expect(server.kinds()).toEqual(['connected', 'closed']);
  });

  test('a server that closes does not wait for the response', async () => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: <closing>\nS: 421 4.3.2 Shutting down, try again later\nS: <closed>`,
    );
  });

  test('the client logs out with QUIT', async () => {
    const server = new Server();
    await server.play(`${GREETED}${LOGIN}\nC: QUIT\nS: 221...\nS: <closed>`);
    expect(server.delivery.calls).toEqual(['logout']);
    expect(server.portal.openLogins).toBe(0);
  });

  test('55: no event, no error and no reply holds a password, a response or the name of a failed login', async () => {
    const server = new Server();
    const tries = ['\\0hunter2\\0hunter2', '\\0ann\\0hunter2', 'hunter2', 'hunter2\\0ann\\0secret', '\\0ann\\0secret'];
    const script = tries.map((message) => `\nC: AUTH PLAIN {base64:${message}}\nS: {/[25]\\d\\d/} <any>`).join('');
    await server.play(`${GREETED}${script}`);
    const told = server.events.map((event) => inspect({ ...event, mind: null }, { depth: 10, showHidden: true }));
    expect(server.kinds().filter((kind) => kind === 'login-refused')).toHaveLength(4);
    for (const secret of [
      'hunter2',
      'secret',
      'aHVudGVyM',
      'h1bnRlcj',
      'odW50ZXIy',
      'c2VjcmV0',
      'NlY3Jld',
      'zZWNyZX',
    ]) {
      expect(told.join('\n')).not.toContain(secret);
    }
  });
});

function cramResponse(challenge: string, user: string, password: string): string {
  const digest = createHmac('md5', password).update(Buffer.from(challenge, 'base64')).digest('hex');
  return Buffer.from(`${user} ${digest}`).toString('base64');
}
