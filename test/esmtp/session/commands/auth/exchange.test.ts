import { createHmac } from 'node:crypto';
import { UsernamePassword } from '@postern/cred';
import { type Challenger, encodeUtf8, login } from '@postern/sasl';
import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, Server } from '../../../server.ts';
import { FAILED, serverWith } from './support.ts';

describe('AUTH: challenges and responses', () => {
  test('15: PLAIN with an initial response', async () => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN AGFubgBzZWNyZXQ=
      S: 235 2.7.0 Authentication succeeded`);
  });

  test('15: two spaces are accepted where the grammar has one', async () => {
    await new Server().play(`${GREETED}
      C: AUTH  PLAIN  AGFubgBzZWNyZXQ=
      S: 235 2.7.0 Authentication succeeded`);
  });

  test('16: PLAIN without one: the challenge is the code and a space', async () => {
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

  test('17: its prompts can be changed', async () => {
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

  test('19: an empty line as LOGIN password goes to the checker, which refuses it', async () => {
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

  test('20: = is invalid as a later response', async () => {
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
  ])('22, 23: %j is invalid base64, in a response and in an initial response', async (base64) => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: ${base64}\nS: 501 5.5.2 Malformed authentication response
      C: AUTH PLAIN ${base64}
      S: 501 {/5\\.5\\.[24]/} <any>${LOGIN}`,
    );
  });

  test.each(['AGFu bgBzZWNyZXQ=', 'AGFubgBzZWNyZXQ= ', ' AGFubgBzZWNyZXQ=', 'AGFub\\tgBzZWNyZXQ='])(
    '23: a space is invalid: %j',
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
  ])('26: PLAIN %j gets the reply to a wrong password', async (message) => {
    await new Server().play(`${GREETED}\nC: AUTH PLAIN {base64:${message}}\n${FAILED}`);
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

  test('35: a CRAM-MD5 response without a space is 501', async () => {
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

  test('37: the CRAM-MD5 challenge is a new message id of this host each time', async () => {
    const challenges = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const transcript = await new Server().play(`${GREETED}\nC: AUTH CRAM-MD5\nS: 334 {challenge}\nC: *\nS: 501...`);
      const base64 = /^S: 334 (.*)$/m.exec(transcript)?.[1] ?? '';
      challenges.add(Buffer.from(base64, 'base64').toString());
    }
    expect(challenges.size).toBe(20);
    for (const challenge of challenges) expect(challenge).toMatch(/^<[^<>@ ]{16,}@mx\.example\.com>$/);
  });

  test('38: a response of 12,288 octets is accepted', async () => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: {repeat:3072:QUFB}\nS: 501 5.5.2 Malformed authentication response`,
    );
  });

  test('38: a longer one is 500 5.5.6, and ends the exchange', async () => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: {repeat:3072:QUFB}Q\nS: 500 5.5.6 Authentication exchange line is too long\nC: NOOP\nS: 250...${LOGIN}`,
    );
  });

  test('39: an initial response of 12,288 octets is accepted', async () => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN {repeat:3072:QUFB}
      S: 501 5.5.2 Malformed authentication response`);
  });

  test.each([1, 100, 100_000])('39: %i octets more are 500 5.5.6', async (more) => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN {repeat:3072:QUFB}{repeat:${more}:Q}
      S: 500 5.5.6 Authentication exchange line is too long${LOGIN}`);
  });
});

function cramResponse(challenge: string, user: string, password: string): string {
  const digest = createHmac('md5', password).update(Buffer.from(challenge, 'base64')).digest('hex');
  return Buffer.from(`${user} ${digest}`).toString('base64');
}
