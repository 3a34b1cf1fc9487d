import { inspect } from 'node:util';
import {
  type Ask,
  AvatarRealm,
  type Checker,
  PasswordProof,
  Portal,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { MessageDelivery } from '@postern/esmtp';
import { BearerToken, type Challenger, encodeUtf8, oauthBearer, plain, xoauth2 } from '@postern/sasl';
import { settle } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, RecordingDelivery, Server } from '../../../server.ts';

describe('a login', () => {
  test('a custom mechanism may run any number of rounds', async () => {
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

  test("success data is sent as a challenge, and the client's response is empty", async () => {
    class Talkative extends PasswordProof {
      readonly username = 'ann';
      readonly #ask: Ask;

      constructor(ask: Ask) {
        super();
        this.#ask = ask;
      }

      override checkPassword = () => true;
      override accepted = async (): Promise<void> => {
        await this.#ask(encodeUtf8('welcome'));
      };
    }
    const challenger: Challenger = {
      mechanism: 'X-TALK',
      credentials: PasswordProof,
      exposesSecret: false,
      challenge: async (ask) => new Talkative(ask),
    };
    const server = new Server({ challengers: [challenger] });
    await server.play(`${GREETED}\nC: AUTH X-TALK\nS: 334 {base64:welcome}\nC:\nS: 235 2.7.0 Authentication succeeded`);
    // RFC 4954 §4: the client may cancel even there.
    await server.play(`${GREETED}\nC: AUTH X-TALK\nS: 334 {base64:welcome}\nC: *\nS: 501 5.7.0 Authentication cancelled
      C: MAIL FROM:<ann@example.com>\nS: 530...`);
  });

  test('a challenger that throws is an error of the server, and 454', async () => {
    const challenger = { ...plain(), challenge: () => Promise.reject(new Error('the secret of a bug')) };
    const server = new Server({ challengers: [challenger] });
    await server.play(`${GREETED}\nC: AUTH PLAIN =\nS: 454 4.7.0 Temporary authentication failure`);
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', culprit: 'us', during: 'AUTH' }));
  });

  test('lines pipelined behind an AUTH without initial response are its responses', async () => {
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

  test.each([
    ['XOAUTH2', 'x', '501 5.5.2 Malformed authentication response'],
    ['XOAUTH2', 'user=ann\\x01auth=Bearer wrong\\x01\\x01', '535 5.7.8 Authentication failed'],
    ['OAUTHBEARER', 'x', '501 5.5.2 Malformed authentication response'],
    ['OAUTHBEARER', 'n,,\\x01auth=Bearer wrong\\x01\\x01', '535 5.7.8 Authentication failed'],
  ])('a bare LF after the error challenge of %s to %s ends the connection', async (mechanism, request, reply) => {
    const checker: Checker<BearerToken> = {
      credentialInterfaces: [BearerToken],
      requestAvatarId: () => Promise.reject(new UnauthorizedLogin()),
    };
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery()));
    const server = new Server({ portal: portal.register(checker), challengers: [oauthBearer(), xoauth2()] });
    await server.play(`${GREETED}
      C: AUTH ${mechanism} {base64:${request}}
      S: 334 <any>
      C: A\\nB
      C: NOOP
      S: ${reply}
      S: <closed>`);
  });

  test('that is refused is reported although the client has disconnected', async () => {
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
  ])('that is refused by a challenge is reported if the response is %s', async (word, end) => {
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

  test('without a decision when the client disconnects is not reported as refused', async () => {
    const checker: Checker<UsernamePassword> = {
      credentialInterfaces: [UsernamePassword],
      requestAvatarId: () => new Promise(() => {}),
    };
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery()));
    const server = new Server({ portal: portal.register(checker) });
    await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: <silence>\nC: <close>`);
    expect(server.kinds()).toEqual(['connected', 'closed']);
  });

  test('a server that shuts down does not wait for the response', async () => {
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
