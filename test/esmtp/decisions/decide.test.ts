import {
  Anonymous,
  Credentials as AnyCredentials,
  AvatarRealm,
  CascadingChecker,
  type Checker,
  type Credentials,
  InMemoryUsernamePasswordDatabaseDontUse,
  Portal,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import {
  accept,
  challenge,
  type Decision,
  decide,
  defer,
  LoginDeferral,
  LoginRejection,
  MessageDelivery,
  Reply,
  reject,
} from '@postern/esmtp';
import { type Challenger, decodeUtf8, defaultChallengers, encodeUtf8, overrideChallengers, plain } from '@postern/sasl';
import { FakeClock } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, RecordingDelivery, Server, type ServerOptions } from '../server.ts';

const LOGIN = '\nC: AUTH PLAIN {base64:\\0ann\\0secret}';
const ALIVE = '\nC: NOOP\nS: 250...';

function serverOf<C extends Credentials>(checker: Checker<C>, options: ServerOptions = {}): Server {
  const clock = new FakeClock();
  const delivery = new RecordingDelivery();
  const realm = new AvatarRealm().provide(MessageDelivery, () => delivery);
  const portal = new Portal(realm, { clock }).register(checker);
  return new Server({ portal, delivery, clock, ...options });
}

/** A server whose logins the decision decides, whatever proves that they know a password. */
function deciding(decision: Decision<UsernamePassword>, options: ServerOptions = {}): Server {
  return serverOf(decide([UsernamePassword], decision), options);
}

describe('a decision', () => {
  test('accepts the login as any user', async () => {
    const server = deciding(({ username }) => accept(`${username}@example.com`));
    await server.play(`${GREETED}${LOGIN}\nS: 235 2.7.0 Authentication succeeded${ENVELOPE}`);
    expect(server.events).toContainEqual(expect.objectContaining({ avatarId: 'ann@example.com' }));
  });

  test('may be asynchronous', async () => {
    const server = deciding(async ({ username, password }) => (password === 'secret' ? accept(username) : reject()));
    await server.play(
      `${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\nS: 535 5.7.8 Authentication failed${LOGIN}\nS: 235...`,
    );
  });

  test.each([
    [reject(), '535 5.7.8 Authentication failed'],
    [reject('Go away'), '535 5.7.8 Go away'],
    [reject('Go away', { code: 550 }), '550 5.7.0 Go away'],
    [reject('Change it', { code: 432, enhanced: '4.7.12' }), '432 4.7.12 Change it'],
    [defer(), '454 4.7.0 Temporary authentication failure'],
    [defer('The directory rests', { code: 451, enhanced: '4.3.0' }), '451 4.3.0 The directory rests'],
  ])('refuses or defers with its own reply, and the connection stays open: %#', async (verdict, reply) => {
    await deciding(() => verdict).play(`${GREETED}${LOGIN}\nS: ${reply}${ALIVE}`);
  });

  test.each([
    [reject('Bye', { disconnect: true }), '535 5.7.8 Bye'],
    [defer('Bye', { disconnect: true }), '454 4.7.0 Bye'],
    [defer('Bye', { code: 421 }), '421 4.7.0 Bye'],
  ])('closes the connection with disconnect: %#', async (verdict, reply) => {
    await deciding(() => verdict).play(`${GREETED}${LOGIN}\nC: NOOP\nS: ${reply}\nS: <closed>`);
  });

  test('that returns nothing rejects the login, synchronously or not', async () => {
    await deciding(() => {}).play(`${GREETED}${LOGIN}\nS: 535 5.7.8 Authentication failed`);
    await deciding(async () => undefined).play(`${GREETED}${LOGIN}\nS: 535 5.7.8 Authentication failed`);
  });

  test('that throws defers the login, and the client sees nothing of the error', async () => {
    const bug = new Error('no such table: users');
    const thrower = (): never => {
      throw bug;
    };
    for (const server of [deciding(thrower), deciding(() => Promise.reject(bug))]) {
      await server.play(`${GREETED}${LOGIN}\nS: 454 4.7.0 Temporary authentication failure${ALIVE}`);
      expect(server.events).toContainEqual(
        expect.objectContaining({ kind: 'error', cause: expect.objectContaining({ cause: bug }) }),
      );
    }
  });

  test('that throws a LoginError gets its reply', async () => {
    const thrower = (): never => {
      throw new UnauthorizedLogin();
    };
    await deciding(thrower).play(`${GREETED}${LOGIN}\nS: 535 5.7.8 Authentication failed`);
  });

  test.each([true, 1, 'ann', null, { avatarId: 'ann' }, () => accept('ann'), []])(
    '31, 32: %j from JavaScript does not accept the login',
    async (nonsense) => {
      for (const decision of [() => nonsense, async () => nonsense]) {
        await deciding(decision as never).play(`${GREETED}${LOGIN}\nS: 454 4.7.0 Temporary authentication failure`);
      }
    },
  );

  test('that accepts an invalid avatar id defers the login', async () => {
    await deciding(() => accept('')).play(`${GREETED}${LOGIN}\nS: 454 4.7.0 Temporary authentication failure`);
  });

  test('cannot refuse with a positive reply', () => {
    expect(() => reject('yes', { code: 250 })).toThrow(RangeError);
    expect(() => reject('yes', { code: 334 })).toThrow(RangeError);
    expect(() => reject('no', { code: 550, enhanced: '4.7.0' })).toThrow(RangeError);
    expect(() => defer('later', { code: 535 })).toThrow(RangeError);
    expect(() => new LoginRejection(new Reply(235, '2.7.0', 'yes'))).toThrow(RangeError);
    expect(() => new LoginDeferral(new Reply(235, '2.7.0', 'yes'))).toThrow(RangeError);
  });

  test('cannot forge a reply', async () => {
    await deciding(() => reject('no\r\n235 2.7.0 yes')).play(`${GREETED}${LOGIN}\nS: 535 5.7.8 no??235 2.7.0 yes`);
  });

  test('that refuses repeatedly reaches the limit of failed logins', async () => {
    await deciding(() => reject(), { limits: { maxLoginFailures: 2 } }).play(
      `${GREETED}${LOGIN}\nS: 535...${LOGIN}\nS: 421 4.7.0 Too many failed logins\nS: <closed>`,
    );
  });
});

describe('a challenge', () => {
  const twoFactors: Decision<UsernamePassword> = ({ username, password }, _mind, [code]) => {
    if (password !== 'secret') return reject();
    if (code === undefined) return challenge('Code:');
    return decodeUtf8(code) === '123456' ? accept(username) : reject('Wrong code');
  };

  test('is sent, and the decision is called again with the response', async () => {
    await deciding(twoFactors).play(
      `${GREETED}${LOGIN}\nS: 334 {base64:Code:}\nC: {base64:123456}\nS: 235 2.7.0 Authentication succeeded`,
    );
    await deciding(twoFactors).play(
      `${GREETED}${LOGIN}\nS: 334 {base64:Code:}\nC: {base64:000000}\nS: 535 5.7.8 Wrong code`,
    );
  });

  test('may follow another: the number of responses is the state of the exchange', async () => {
    const server = deciding((_credentials, _mind, responses) =>
      responses.length < 3
        ? challenge(encodeUtf8(String(responses.length)))
        : accept(responses.map(decodeUtf8).join('')),
    );
    await server.play(`${GREETED}${LOGIN}
      S: 334 {base64:0}
      C: {base64:a}
      S: 334 {base64:1}
      C:
      S: 334 {base64:2}
      C: {base64:c}
      S: 235...`);
    expect(server.events).toContainEqual(expect.objectContaining({ avatarId: 'ac' }));
  });

  test('can be cancelled, or get an invalid response', async () => {
    await deciding(twoFactors).play(
      `${GREETED}${LOGIN}\nS: 334...\nC: *\nS: 501 5.7.0 Authentication cancelled${LOGIN}\nS: 334...\nC: ###\nS: 501 5.5.2...${ALIVE}`,
    );
  });

  test('repeated without end defers the login', async () => {
    const answers = '\nC:\nS: 334 '.repeat(19);
    await deciding(() => challenge('')).play(`${GREETED}${LOGIN}\nS: 334 ${answers}\nC:\nS: 454 4.7.0...`);
  });

  test('to an anonymous client defers the login: there is no exchange', async () => {
    const checker = decide([Anonymous], () => challenge('Who are you?'));
    await serverOf(checker, { service: 'mx' }).play(`${GREETED}\nC: MAIL FROM:<ann@example.com>\nS: 451 4.3.0...`);
  });

  test('that the client answers too late closes the connection: the answer must not run as a command', async () => {
    const server = deciding(twoFactors);
    await server.play(`${GREETED}${LOGIN}\nS: 334...\nC: <advance 61s>\nS: 421 4.4.2...\nS: <closed>`);
    expect(server.portal.openLogins).toBe(0);
  });
});

describe('a decision decides about', () => {
  test('all logins, with the mechanism of each', async () => {
    const seen: (string | undefined)[] = [];
    const any = decide([AnyCredentials], ({ username }, { exchange }) => {
      seen.push(exchange?.mechanism);
      return username === undefined
        ? accept('somebody')
        : reject('Not by a password', { code: 534, enhanced: '5.7.9' });
    });
    const server = serverOf(any, { service: 'mx' });
    await server.play(`${GREETED}${LOGIN}
      S: 534 5.7.9 Not by a password
      C: AUTH LOGIN
      S: 334...
      C: {base64:ann}
      S: 334...
      C: {base64:secret}
      S: 534 5.7.9 Not by a password
      C: AUTH SCRAM-SHA-512 {base64:n,,n=ann,r=fyko+d2lbbFgONRv9qkxdawL}
      S: 334...
      C: {base64:c=biws,r=nonsense,p=AAAA}
      S: {/5\\d\\d .*/}
      C: MAIL FROM:<ann@example.com>
      S: 250...`);
    expect(seen).toEqual(['PLAIN', 'LOGIN', 'SCRAM-SHA-512', undefined]);
  });

  test('not a login by SCRAM without a proof', async () => {
    const any = decide([AnyCredentials], () => accept('ann'));
    await serverOf(any).play(`${GREETED}
      C: AUTH SCRAM-SHA-512 {base64:n,,n=ann,r=fyko+d2lbbFgONRv9qkxdawL}
      S: 454 4.7.0 Temporary authentication failure`);
  });

  test('a login by a mechanism that replaces or extends those of the server', async () => {
    const mine = (mechanism: string): Challenger<UsernamePassword> => ({
      ...plain(),
      mechanism,
      challenge: async () => new UsernamePassword('ann', 'by magic'),
    });
    const own = overrideChallengers(defaultChallengers({ hostname: 'mx.example.com' }), mine('PLAIN'), mine('X-MAGIC'));
    await deciding(({ username, password }) => (password === 'by magic' ? accept(username) : reject()), {
      challengers: own,
    }).play(`${GREETED}
      C: AUTH PLAIN {base64:whatever}
      S: 235...`);
    await deciding(() => accept('ann'), { challengers: own }).play(
      'S: 220...\nC: EHLO client.example.org\nS: 250-...\nS: {/250.AUTH X-MAGIC PLAIN LOGIN/}',
    );
  });

  test('the credentials of one class, and leaves the others to other checkers', async () => {
    const clock = new FakeClock();
    const delivery = new RecordingDelivery();
    const portal = new Portal(
      new AvatarRealm().provide(MessageDelivery, () => delivery),
      { clock },
    )
      .register(decide([UsernamePassword], () => reject('No plain passwords', { code: 534, enhanced: '5.7.9' })))
      .register(new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' }));
    await new Server({ portal, clock, delivery }).play(
      `${GREETED}${LOGIN}\nS: 534 5.7.9 No plain passwords\nC: AUTH CRAM-MD5\nS: 334...\nC: *\nS: 501...`,
    );
  });
});

describe('in a cascade', () => {
  const users = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' });
  const first = (decision: Decision<UsernamePassword>): Server =>
    serverOf(CascadingChecker.of(decide([UsernamePassword], decision), users));

  test('no decision leaves the login to the next checker; a rejection is final', async () => {
    await first(() => {}).play(`${GREETED}${LOGIN}\nS: 235...`);
    await first(() => reject('Closed')).play(`${GREETED}${LOGIN}\nS: 535 5.7.8 Closed`);
  });

  test('a deferral leaves the login to the next checker, and is the reply if no checker accepts', async () => {
    const down = (): ReturnType<typeof defer> => defer('The directory rests');
    await first(down).play(`${GREETED}${LOGIN}\nS: 235...`);
    await first(down).play(`${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\nS: 454 4.7.0 The directory rests`);
  });
});

describe('an anonymous client', () => {
  test('is refused with the reply of a decision, and disconnected by it', async () => {
    const no = decide([Anonymous], ({ trace }, { remote }) =>
      reject(`${remote.address} is not welcome${trace}`, { code: 550, enhanced: '5.7.1', disconnect: true }),
    );
    await serverOf(no, { service: 'mx' }).play(
      `${GREETED}\nC: MAIL FROM:<ann@example.com>\nS: 550 5.7.1 192.0.2.1 is not welcome\nS: <closed>`,
    );
  });
});
