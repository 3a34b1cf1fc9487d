// The numbered requirements on authentication and TLS. session/commands/auth has the cases of AUTH.
import {
  type Ask,
  type AvatarId,
  AvatarRealm,
  type Checker,
  PasswordProof,
  Portal,
  UsernamePassword,
} from '@postern/cred';
import { defaultLimits, MessageDelivery } from '@postern/esmtp';
import { type Challenger, cramMd5, ExternalIdentity, encodeUtf8, external, login, plain } from '@postern/sasl';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, RecordingDelivery, Server } from '../server.ts';
import { bodies, send } from '../wire.ts';

const PLAIN = '{base64:\\0ann\\0secret}';
const WRONG = '{base64:\\0ann\\0wrong}';
const FAILED = 'S: 535 5.7.8 Authentication failed';
/** No test waits for a handshake. */
const LEAVE = '\nC: <close>';
const optional = { authentication: 'optional', allowAnonymous: true } as const;

/** Returns the line of AUTH in the reply to EHLO; undefined without one. */
async function mechanisms(server: Server, tlsPolicy: 'implicit' | 'offered' | 'none'): Promise<string | undefined> {
  return /^S: 250[- ]AUTH (.*)$/m.exec(await server.play(GREETED, { tlsPolicy }))?.[1];
}

describe('RFC 4954', () => {
  test('25: AUTH after AUTH is 503, and so it is in a transaction', async () => {
    await new Server(optional).play(`${GREETED}${ENVELOPE}
      C: AUTH PLAIN ${PLAIN}
      S: 503 5.5.1 Bad sequence of commands
      C: RSET
      S: 250...${LOGIN}
      C: AUTH PLAIN ${PLAIN}
      S: 503 5.5.1 Authenticated already`);
  });

  test('26: an unknown mechanism is 504 5.5.4', async () => {
    await new Server().play(`${GREETED}\nC: AUTH X-UNKNOWN\nS: 504 5.5.4 Unrecognised authentication mechanism`);
  });

  test('27: a challenge is 334 and base64, and an empty one 334 and a space', async () => {
    const { said } = await send('EHLO x\r\nAUTH PLAIN\r\n*\r\nAUTH LOGIN\r\n*\r\nQUIT\r\n');
    expect(said).toMatch(/\r\n334 \r\n501 /);
    expect(said).toMatch(/\r\n334 VXNlcm5hbWU6\r\n501 /);
  });

  test("28: * cancels with 501, also after the server's last message", async () => {
    class Proof extends PasswordProof {
      readonly username = 'ann';
      readonly #ask: Ask;

      constructor(ask: Ask) {
        super();
        this.#ask = ask;
      }

      override checkPassword = () => true;
      override accepted = async (): Promise<void> => {
        await this.#ask(encodeUtf8('signed'));
      };
    }
    const challenger: Challenger = {
      mechanism: 'X-SIGNED',
      credentials: PasswordProof,
      exposesSecret: false,
      challenge: async (ask) => new Proof(ask),
    };
    await new Server({ challengers: [challenger, plain()] }).play(`${GREETED}
      C: AUTH PLAIN
      S: 334 ${''}
      C: *
      S: 501 5.7.0 Authentication cancelled
      C: AUTH X-SIGNED
      S: 334 {base64:signed}
      C: *
      S: 501 5.7.0 Authentication cancelled
      C: MAIL FROM:<ann@example.com>
      S: 530...`);
  });

  test('29: without an initial response the server sends an empty challenge', async () => {
    await new Server().play(`${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: ${PLAIN}\nS: 235 2.7.0 Authentication succeeded`);
  });

  test('30: = is an empty initial response, and invalid as a later response', async () => {
    const heard: (number | undefined)[] = [];
    const challenger: Challenger<UsernamePassword> = {
      mechanism: 'X-TEST',
      credentials: UsernamePassword,
      exposesSecret: false,
      async challenge(ask, initialResponse) {
        heard.push(initialResponse?.length);
        heard.push((await ask(encodeUtf8(''))).length);
        return new UsernamePassword('ann', 'secret');
      },
    };
    const server = new Server({ challengers: [challenger] });
    await server.play(`${GREETED}\nC: AUTH X-TEST =\nS: 334 \nC:\nS: 235...`);
    await server.play(`${GREETED}\nC: AUTH X-TEST\nS: 334 \nC: =\nS: 501 5.5.2...`);
    expect(heard).toEqual([0, 0, undefined]);
  });

  test('31: an initial response where the server speaks first is 501 5.7.0, except in LOGIN', async () => {
    await new Server({ challengers: [cramMd5({ hostname: 'mx.example.com' }), login()] }).play(`${GREETED}
      C: AUTH CRAM-MD5 {base64:ann}
      S: 501 5.7.0 This mechanism takes no initial response
      C: AUTH LOGIN {base64:ann}
      S: 334 UGFzc3dvcmQ6
      C: {base64:secret}
      S: 235...`);
  });

  test.each(['=AAA', 'AAA=BBB', 'QQ', 'QR==', 'A A=', 'A-_A', 'AAAA\\x80', 'A==='])(
    '32: %s is no base64: 501 5.5.2',
    async (base64) => {
      await new Server().play(`${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: ${base64}\nS: 501 5.5.2...${LOGIN}`);
    },
  );

  test('33: a response of 12,288 octets is accepted, a longer one is 500 5.5.6', async () => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN
      S: 334 ${''}
      C: {repeat:12288:A}
      S: 501 5.5.2...
      C: AUTH PLAIN
      S: 334 ${''}
      C: {repeat:12292:A}
      S: 500 5.5.6 Authentication exchange line is too long${LOGIN}`);
  });

  test('34: identities are prepared, and some become empty', async () => {
    const asked: string[] = [];
    const checker: Checker<UsernamePassword> = {
      credentialInterfaces: [UsernamePassword],
      requestAvatarId: async ({ username }): Promise<AvatarId> => {
        asked.push(username);
        return username;
      },
    };
    const realm = new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery());
    const portal = new Portal(realm).register(checker);
    const server = new Server({ portal, challengers: [plain()] });
    // A soft hyphen is removed, a Roman numeral becomes letters (RFC 4013 §2.1, §2.2).
    await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\\0a\u00adnn\u2168\\0secret}\nS: 235...`);
    expect(asked).toEqual(['annIX']);
    await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\\0\u00ad\\0secret}\nS: {/5\\d\\d .*/}`);
    await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\u00ad\\0ann\\0secret}\nS: {/5\\d\\d .*/}`);
    expect(asked).toEqual(['annIX']);
  });

  test('35: failure is 535, success 235, and additional data is a challenge before it', async () => {
    await new Server().play(`${GREETED}\nC: AUTH PLAIN ${WRONG}\n${FAILED}${LOGIN}`);
    class Proof extends PasswordProof {
      readonly username = 'ann';
      readonly #ask: Ask;

      constructor(ask: Ask) {
        super();
        this.#ask = ask;
      }

      override checkPassword = () => true;
      override accepted = async (): Promise<void> => {
        await this.#ask(encodeUtf8('signed'));
      };
    }
    const challenger: Challenger = {
      mechanism: 'X-SIGNED',
      credentials: PasswordProof,
      exposesSecret: false,
      challenge: async (ask) => new Proof(ask),
    };
    await new Server({ challengers: [challenger] }).play(
      `${GREETED}\nC: AUTH X-SIGNED\nS: 334 {base64:signed}\nC:\nS: 235 2.7.0 Authentication succeeded`,
    );
  });

  test('36: there is no security layer: after 235 the session continues', async () => {
    await new Server().play(`${GREETED}${LOGIN}${ENVELOPE}`);
  });

  test('37: after a failure the client may try again, or continue without AUTH', async () => {
    await new Server(optional).play(`${GREETED}
      C: AUTH PLAIN ${WRONG}
      ${FAILED}${ENVELOPE}
      C: RSET
      S: 250...${LOGIN}`);
  });

  test('38, 42: by default no mechanism that exposes the password is offered without TLS, and with it PLAIN is', async () => {
    for (const tlsPolicy of ['none', 'offered'] as const) {
      expect((await mechanisms(new Server(), tlsPolicy))?.split(' ')).not.toContain('PLAIN');
      expect((await mechanisms(new Server(), tlsPolicy))?.split(' ')).not.toContain('LOGIN');
      await new Server().play(`${GREETED}\nC: AUTH PLAIN ${PLAIN}\nS: 538 5.7.11...`, { tlsPolicy });
    }
    expect((await mechanisms(new Server(), 'implicit'))?.split(' ')).toContain('PLAIN');
  });

  test('39: lines pipelined behind a complete AUTH are commands, behind an incomplete one responses', async () => {
    const outcome = await send(
      'EHLO x\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\nx\r\n.\r\nQUIT\r\n',
    );
    expect(bodies(outcome)).toEqual(['x\r\n']);
    const { said } = await send('EHLO x\r\nAUTH PLAIN\r\nAGFubgBzZWNyZXQ=\r\nNOOP\r\nQUIT\r\n');
    expect(said).toMatch(/\r\n334 \r\n235 .*\r\n250 2\.0\.0 OK\r\n221 /);
  });

  test.each([
    ['MAIL FROM:<ann@example.com>', 530],
    ['RCPT TO:<bob@example.com>', 530],
    ['DATA', 530],
    ['VRFY ann', 530],
    ['HELP', 530],
    ['NOOP', 250],
    ['RSET', 250],
    ['EHLO x', 250],
    ['HELO x', 250],
    ['STARTTLS', 220],
    ['QUIT', 221],
  ])('41: before AUTH, where it is required, %s is %d', async (command, code) => {
    await new Server().play(`${GREETED}\nC: ${command}\nS: ${code}...${code === 220 ? LEAVE : ''}`, {
      tlsPolicy: 'offered',
    });
  });

  test('42: the connection outlives three failures', async () => {
    await new Server().play(`${GREETED}${`\nC: AUTH PLAIN ${WRONG}\n${FAILED}`.repeat(3)}${LOGIN}`);
  });

  test('44: verb and mechanism in any case, with one space or two', async () => {
    await new Server().play(`${GREETED}\nC: aUtH  plain  ${PLAIN}\nS: 235...`);
    await new Server().play(`${GREETED}\nC: AUTH PLAIN {base64:\\0ANN\\0secret}\n${FAILED}`);
  });

  test('45: names of mechanisms are 20 letters, digits, hyphens and underscores', () => {
    const named = (mechanism: string) => () => new Server({ challengers: [{ ...plain(), mechanism }] });
    expect(named('ABCDEFGHIJ-_01234567')).not.toThrow();
    for (const name of ['', 'ABCDEFGHIJ-_012345678', 'abc', 'A B', 'A.B']) expect(named(name)).toThrow(TypeError);
  });
});

describe('RFC 5321', () => {
  test('5: the greeting is 220', async () => {
    await new Server().play('S: 220 mx.example.com ESMTP\nS: <silence>');
  });

  test('17: a client may wait five minutes', async () => {
    expect(defaultLimits.idleTimeout).toBeGreaterThanOrEqual(300_000);
    await new Server().play(`${GREETED}\nC: <advance 299s>\nC: NOOP\nS: 250 2.0.0 OK`);
  });
});

describe('RFC 3207', () => {
  test('47: octets in the clear behind STARTTLS are ignored', async () => {
    const { said, server } = await send('EHLO x\r\nSTARTTLS\r\nEHLO y\r\nMAIL FROM:<a@b>\r\n', {
      tlsPolicy: 'offered',
    });
    expect(said).toMatch(/\r\n421 4\.7\.0 .*\r\n$/);
    expect(server.kinds()).toEqual(['connected', 'command-refused', 'closed']);
  });

  test.each([
    ['NOOP', 250],
    ['EHLO x', 250],
    ['STARTTLS', 220],
    ['QUIT', 221],
    ['HELO x', 530],
    ['RSET', 530],
    ['VRFY ann', 530],
    ['HELP', 530],
    ['AUTH PLAIN', 530],
    ['MAIL FROM:<ann@example.com>', 530],
  ])('48: before STARTTLS, where it is required, %s is %d', async (command, code) => {
    await new Server().play(`${GREETED}\nC: ${command}\nS: ${code}...${code === 220 ? LEAVE : ''}`, {
      tlsPolicy: 'required',
    });
  });

  test('50: STARTTLS is offered only where it works', async () => {
    const offered = async (tlsPolicy: 'implicit' | 'offered' | 'required' | 'none'): Promise<boolean> =>
      /^S: 250[- ]STARTTLS$/m.test(await new Server().play(GREETED, { tlsPolicy }));
    expect(await Promise.all([offered('implicit'), offered('offered'), offered('required'), offered('none')])).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test('50: a refusal for lack of TLS does not depend on the password', async () => {
    const answer = (response: string): Promise<string> =>
      new Server({ challengers: [plain()] }).play(`${GREETED}\nC: AUTH PLAIN ${response}\nS: 538...`, {
        tlsPolicy: 'offered',
      });
    expect((await answer(PLAIN)).split('C: AUTH')[1]?.split('\n')[1]).toBe(
      (await answer(WRONG)).split('C: AUTH')[1]?.split('\n')[1],
    );
  });

  test('50: EXTERNAL is offered to a client whose certificate was verified', async () => {
    const checker: Checker<ExternalIdentity> = {
      credentialInterfaces: [ExternalIdentity],
      requestAvatarId: async () => 'ann',
    };
    const realm = new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery());
    const portal = new Portal(realm).register(checker);
    const peerCertificate = (verified: boolean) => ({
      verified,
      subject: 'CN=ann',
      subjectAltName: undefined,
      fingerprint256: '00',
    });
    const play = (verified: boolean, script: string): Promise<string> =>
      new Server({ portal, challengers: [external()] }).play(`${GREETED}${script}`, {
        tlsPolicy: 'implicit',
        tls: { peerCertificate: peerCertificate(verified) },
      });
    expect(await play(true, '\nC: AUTH EXTERNAL =\nS: 235...')).toMatch(/^S: 250 AUTH EXTERNAL$/m);
    expect(await play(false, '\nC: AUTH EXTERNAL =\nS: 504...')).not.toContain('250 AUTH');
  });
});

test('52: a client that sends before the greeting gets replies in order', async () => {
  const { said } = await send('EHLO x\r\nNOOP\r\nXYZZY\r\nVRFY ann\r\nQUIT\r\n', {}, optional);
  expect(said.split('\r\n').map((line) => line.slice(0, 3))).toEqual([
    '220',
    ...said.split('\r\n').flatMap((line) => (line.startsWith('250-') || line.startsWith('250 AUTH') ? ['250'] : [])),
    '250',
    '500',
    '252',
    '221',
    '',
  ]);
});
