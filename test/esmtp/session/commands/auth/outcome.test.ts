import {
  ANONYMOUS,
  Anonymous,
  type AvatarId,
  AvatarRealm,
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  Portal,
  UsernamePassword,
} from '@postern/cred';
import { MessageDelivery } from '@postern/esmtp';
import { anonymous, type Challenger, encodeUtf8 } from '@postern/sasl';
import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, RecordingDelivery, Server } from '../../../server.ts';
import { FAILED, serverWith } from './support.ts';

describe('AUTH: replies, delays and deadlines', () => {
  test('25: an authzid that is not the user is refused by default, as a wrong password is', async () => {
    await new Server().play(`${GREETED}\nC: AUTH PLAIN {base64:bob\\0ann\\0secret}\n${FAILED}`);
  });

  test("25: the user's own name as authzid is accepted", async () => {
    await new Server().play(`${GREETED}\nC: AUTH PLAIN {base64:ann\\0ann\\0secret}\nS: 235...`);
  });

  test('26: an unknown user and a wrong password get the same reply', async () => {
    await new Server().play(
      `${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\n${FAILED}\nC: AUTH PLAIN {base64:\\0nobody\\0wrong}\n${FAILED}`,
    );
  });

  test('26: both not before minFailureDelay', async () => {
    for (const name of ['ann', 'nobody']) {
      await new Server({ limits: { minFailureDelay: 250 } }).play(`${GREETED}
        C: AUTH PLAIN {base64:\\0${name}\\0wrong}
        C: <advance 249ms>
        S: <silence>
        C: <advance 1ms>
        ${FAILED}`);
    }
  });

  test('26: so do a disabled account and a policy', async () => {
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
  ] as const)('26: the reply shows what the user can change: %s', async (reason, reply) => {
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
  ])('%s is 454 with a fixed text, and does not count', async (_title, requestAvatarId) => {
    const server = serverWith(requestAvatarId, { limits: { maxLoginFailures: 1, minFailureDelay: 0 } });
    const transcript = await server.play(`${GREETED}
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 454 4.7.0 Temporary authentication failure
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 454 4.7.0 Temporary authentication failure`);
    expect(transcript).not.toContain('backend');
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', culprit: 'us', during: 'AUTH' }));
  });

  test('40: three failures get their reply at once, later ones after a delay, and the tenth 421', async () => {
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

  test('40: the right password in between succeeds without delay', async () => {
    await new Server({ limits: { undelayedLoginFailures: 1 } }).play(
      `${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\n${FAILED}${LOGIN}`,
    );
  });

  test('40: a client that disconnects during the delay ends the session', async () => {
    const server = new Server({ limits: { undelayedLoginFailures: 0 } });
    await server.play(`${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\nS: <silence>\nC: <close>`);
    expect(server.kinds()).toEqual(['connected', 'login-refused', 'closed']);
  });

  test('41: commands pipelined behind a pending login run after it', async () => {
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

  test('42: an avatar that arrives after the client has disconnected is logged out', async () => {
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

  test('43: AUTH after anonymous mail ends the anonymous login first', async () => {
    const log: string[] = [];
    class Avatar extends RecordingDelivery {
      readonly #name: string;

      constructor(avatarId: AvatarId) {
        super();
        this.#name = String(avatarId === ANONYMOUS ? 'anonymous' : avatarId);
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
    expect(log).toEqual(['anonymous in', 'anonymous out', 'ann in', 'ann out']);
  });

  test('43: a login as ANONYMOUS is a login', async () => {
    await new Server({ allowAnonymous: true, challengers: [anonymous()] }).play(`${GREETED}
      C: AUTH ANONYMOUS c2lyaGM=
      S: 235...
      C: AUTH ANONYMOUS c2lyaGM=
      S: 503 5.5.1 Authenticated already`);
  });

  test('44: a client that sends no response gets 421 4.4.2', async () => {
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
    const more = '\nS: 334 bW9yZQ==\nC: <advance 25s>\nC: QUFB';
    await new Server({ challengers: [rounds] }).play(
      `${GREETED}\nC: AUTH ENDLESS${more.repeat(2)}\nS: 334 bW9yZQ==\nC: <advance 25s>\nS: 421 4.4.2 Took too long, closing the connection\nS: <closed>`,
    );
  });

  test('44: a login that took too long leaves no timer behind', async () => {
    const server = new Server();
    await server.play(`${GREETED}\nC: AUTH PLAIN\nS: 334 \nC: <advance 121s>\nS: 421 4.4.2...\nS: <closed>`);
    await server.clock.advance(10_000);
    expect(server.clock.pending).toBe(0);
  });
});
