import {
  type AnyChecker,
  type AvatarId,
  AvatarRealm,
  CascadingChecker,
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  Portal,
  type PortalOptions,
  TemporaryFailure,
  UnauthorizedLogin,
} from '@postern/cred';
import {
  authenticate,
  ExchangeCancelled,
  encodeUtf8,
  MalformedResponse,
  ScramCredentials,
  type ScramOptions,
  ScramSecret,
  scram,
} from '@postern/sasl';
import { AuthenticationFailure, scramResponder } from '@postern/sasl/client';
import { FakeClock, settle } from '@postern/testing';
import { type FailureCounts, InMemoryFailureCounts, withThrottle } from '@postern/throttle';
import { beforeAll, describe, expect, it } from 'vitest';
import { Decoys } from '../../../packages/sasl/src/scram/decoys.ts';
import { scripted, someMind } from '../exchange.ts';
import { drive, type Outcome } from './drive.ts';

const KEY = new Uint8Array(32).fill(7);
const FINAL = `c=biws,r=client-nonceserver,p=${Buffer.alloc(32).toString('base64')}`;

/** Returns a checker with SCRAM secrets. */
class Secrets implements Checker<ScramCredentials> {
  readonly credentialInterfaces = [ScramCredentials] as const;
  readonly #secrets: ReadonlyMap<string, ScramSecret>;

  constructor(secrets: Readonly<Record<string, ScramSecret>>) {
    this.#secrets = new Map(Object.entries(secrets));
  }

  readonly requestAvatarId = async (credentials: ScramCredentials): Promise<AvatarId> => {
    const secret = this.#secrets.get(credentials.username);
    if (secret === undefined || !(await credentials.verify(secret))) throw new UnauthorizedLogin();
    return credentials.username;
  };
}

let stored: Checker<ScramCredentials>;
beforeAll(async () => {
  stored = new Secrets({ joe: await ScramSecret.derive('pencil', { hash: 'sha256', iterations: 4096 }) });
});
const clear = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'pencil', Ⅸ: 'never found: not prepared', IX: 'pen' });

function challenger(options: Partial<ScramOptions> = {}) {
  return scram({ hash: 'sha256', key: KEY, iterations: 4096, ...options });
}

function login(checker: AnyChecker, username: string, password: string): Promise<Outcome> {
  return drive({
    challenger: challenger(),
    checker,
    responder: scramResponder({ hash: 'sha256', username, password }),
  });
}

/** Returns the server-first-message to an unknown user. */
async function challengeOf(username: string, options: Partial<ScramOptions> = {}): Promise<string> {
  const ask = scripted(FINAL);
  const nonce = () => 'server';
  const exchange = challenger({ nonce, ...options });
  const credentials = await exchange.challenge(ask, encodeUtf8(`n,,n=${username},r=client-nonce`), someMind());
  await credentials.conclude();
  expect(ask.asked).toHaveLength(1);
  return ask.asked[0] as string;
}

describe.each([
  ['secrets', () => stored],
  ['clear-text passwords', () => clear],
  ['both', () => CascadingChecker.of(stored, clear)],
])('SCRAM against a store of %s', (_what, store) => {
  it('logs in a client that knows the password', async () => {
    expect(await login(store(), 'joe', 'pencil')).toMatchObject({ server: 'joe', client: undefined });
  });

  it('refuses a wrong password and an unknown user in the same step, with the same error and challenge length', async () => {
    const wrong = await login(store(), 'joe', 'pen');
    const unknown = await login(store(), 'ann', 'pencil');
    for (const { server, client, dialogue } of [wrong, unknown]) {
      expect(server).toEqual({ error: new UnauthorizedLogin() });
      expect(client?.error).toBeInstanceOf(AuthenticationFailure);
      expect(dialogue).toHaveLength(3);
      expect(dialogue[1]).toMatch(/^r=[!-+\--~]{48},s=[A-Za-z0-9+/]{22}==,i=4096$/);
    }
  });

  it('sends each user the same salt each time', async () => {
    for (const username of ['joe', 'ann']) {
      const one = await login(store(), username, 'wrong');
      const other = await login(store(), username, 'wrong');
      const salts = [one, other].map(({ dialogue }) => dialogue[1]?.split(',')[1]);
      expect(salts[0]).toBe(salts[1]);
    }
  });
});

describe('a store of clear-text passwords', () => {
  it('has the salt that an unknown user of that name has', async () => {
    const { dialogue } = await login(clear, 'joe', 'pencil');
    expect(dialogue[1]?.split(',').slice(1)).toEqual((await challengeOf('joe')).split(',').slice(1));
  });

  it('finds a user under the prepared name', async () => {
    expect(await login(clear, 'Ⅸ', 'pen')).toMatchObject({ server: 'IX' });
  });

  it('notices that a password has changed', async () => {
    const checker = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'old' });
    const one = challenger();
    const attempt = (password: string) =>
      drive({ challenger: one, checker, responder: scramResponder({ hash: 'sha256', username: 'joe', password }) });
    expect(await attempt('old')).toMatchObject({ server: 'joe' });
    checker.addUser('joe', 'new');
    expect(await attempt('old')).toMatchObject({ server: { error: new UnauthorizedLogin() } });
    expect(await attempt('new')).toMatchObject({ server: 'joe' });
  });

  it.each(['', '\u00ad', 'pen\ncil', 'pencil\u0221'])(
    'refuses a user whose password is %j, which SASLprep refuses, as any other',
    async (password) => {
      const checker = new InMemoryUsernamePasswordDatabaseDontUse({ joe: password });
      const { server, dialogue } = await login(checker, 'joe', 'pencil');
      expect(server).toEqual({ error: new UnauthorizedLogin() });
      expect(dialogue).toHaveLength(3);
    },
  );

  it('derives its secret after the proof, not before the challenge', async () => {
    const order: string[] = [];
    const credentials = await challenger({ nonce: () => 'server' }).challenge(
      async () => {
        order.push('challenged');
        return encodeUtf8(FINAL);
      },
      encodeUtf8('n,,n=joe,r=client-nonce'),
      someMind(),
    );
    const checked = Promise.resolve(credentials.checkPassword('pencil'));
    expect(order).toEqual(['challenged']);
    expect(await checked).toBe(false);
  });
});

const OPTIONS = {
  hash: 'sha256',
  key: KEY,
  iterations: 4096,
  saltLength: 16,
  canonical: (username: string) => username,
} as const;

describe('a decoy among stored secrets', () => {
  const names = Array.from({ length: 60 }, (_, index) => `user${index}`);
  const few = [{ iterations: 5000, saltLength: 12 }, undefined];
  const more = [...few, { iterations: 6000, saltLength: 24 }];

  it('has the parameters of one of them, which the name decides', () => {
    const decoys = new Decoys(OPTIONS);
    const shown = (list: typeof few) =>
      names.map((name) => {
        const { iterations, salt } = decoys.decoySecret(name, list);
        return `${iterations},${salt.length}`;
      });
    expect(new Set(shown(few))).toEqual(new Set(['5000,12', '4096,16']));
    expect(shown(few.toReversed())).toEqual(shown(few));
    expect(shown([])).toEqual(names.map(() => '4096,16'));
    // Another member changes nothing but the names that it gets.
    const kept = shown(few).filter((kind, index) => shown(more)[index] === kind);
    const changed = shown(more).filter((kind) => kind === '6000,24');
    expect(changed.length).toBeGreaterThan(5);
    expect(kept.length + changed.length).toBe(names.length);
  });

  it('has the same salt in all lengths', () => {
    const decoys = new Decoys(OPTIONS);
    const long = decoys.decoySecret('joe', [{ iterations: 5000, saltLength: 64 }]).salt;
    expect(Buffer.from(long.subarray(0, 16))).toEqual(Buffer.from(decoys.salt('joe')));
  });
});

describe('derived secrets', () => {
  it('stay in memory, the most recently used ones', async () => {
    const decoys = new Decoys({ ...OPTIONS, maxDerived: 2 });
    const ann = decoys.derive('ann', 'pencil');
    const joe = decoys.derive('joe', 'pencil');
    expect(decoys.derive('ann', 'pencil')).toBe(ann);
    const tim = decoys.derive('tim', 'pencil');
    expect(decoys.derive('ann', 'pencil')).toBe(ann);
    expect(decoys.derive('tim', 'pencil')).toBe(tim);
    expect(decoys.derive('joe', 'pencil')).not.toBe(joe);
    expect((await joe).storedKey).toEqual((await decoys.derive('joe', 'pencil')).storedKey);
  });

  it('belong to one user and one password', async () => {
    const decoys = new Decoys({ ...OPTIONS });
    const secrets = [decoys.derive('ann', 'pencil'), decoys.derive('ann', 'pen'), decoys.derive('annp', 'encil')];
    expect(new Set(secrets).size).toBe(3);
    expect(await (await decoys.derive('ann', 'pencil')).verifyPassword('pencil')).toBe(true);
  });
});

describe('the challenge of an unknown user', () => {
  it('derives from the server key, the mechanism and the name', async () => {
    const joe = await challengeOf('joe');
    expect(await challengeOf('joe')).toBe(joe);
    expect(await challengeOf('ann')).not.toBe(joe);
    expect(await challengeOf('joe', { key: new Uint8Array(32).fill(8) })).not.toBe(joe);
    expect(await challengeOf('joe', { hash: 'sha512' })).not.toBe(joe);
  });

  it('derives from the prepared name', async () => {
    expect(await challengeOf('\u2168')).toBe(await challengeOf('IX'));
    expect(await challengeOf('I\u00adX')).toBe(await challengeOf('IX'));
  });

  it('is the same for all spellings that the store takes for one name', async () => {
    const canonical = (username: string) => username.toLowerCase();
    const [joe, JOE, ann] = await Promise.all(['joe', 'JOE', 'ann'].map((name) => challengeOf(name, { canonical })));
    expect(JOE).toBe(joe);
    expect(ann).not.toBe(joe);
    expect(joe).toBe(await challengeOf('joe'));
    expect(await challengeOf('JOE')).not.toBe(joe);
  });

  it('is the same with and without -PLUS, as it is for a user with a secret', async () => {
    expect(await challengeOf('joe', { plus: true })).toBe(await challengeOf('joe'));
  });

  it('is the same for all challengers of a process that have no key', async () => {
    const one = await challengerWithoutKey();
    expect(await challengerWithoutKey()).toBe(one);
    expect(one).not.toBe(await challengeOf('joe'));
  });

  it('has the iterations and the salt length of the options', async () => {
    const [, salt, iterations] = (await challengeOf('joe', { iterations: 10_000, saltLength: 24 })).split(',');
    expect(Buffer.from(salt?.slice(2) as string, 'base64')).toHaveLength(24);
    expect(iterations).toBe('i=10000');
  });

  it('looks like a new secret by default', async () => {
    const secret = await ScramSecret.derive('pencil', { hash: 'sha256' });
    const [, salt, iterations] = (await challengerWithoutKey()).split(',');
    expect(Buffer.from(salt?.slice(2) as string, 'base64')).toHaveLength(secret.salt.length);
    expect(iterations).toBe(`i=${secret.iterations}`);
  });

  async function challengerWithoutKey(): Promise<string> {
    const ask = scripted(FINAL);
    const exchange = scram({ hash: 'sha256', nonce: () => 'server' });
    const credentials = await exchange.challenge(ask, encodeUtf8('n,,n=joe,r=client-nonce'), someMind());
    await credentials.conclude();
    return ask.asked[0] as string;
  }
});

describe('a checker that does not verify', () => {
  it.each([
    ['is down', new TemporaryFailure('down')],
    ['denies', new LoginDenied('disabled')],
  ])('and %s still runs the exchange to its end', async (_what, error) => {
    const checker: Checker<ScramCredentials> = {
      credentialInterfaces: [ScramCredentials],
      requestAvatarId: () => Promise.reject(error),
    };
    const { server, dialogue } = await login(checker, 'joe', 'pencil');
    expect(server).toEqual({ error });
    expect(dialogue).toHaveLength(3);
  });

  it('logs no client in, since there is nothing to sign', async () => {
    const checker: Checker<ScramCredentials> = {
      credentialInterfaces: [ScramCredentials],
      requestAvatarId: ({ username }) => username,
    };
    const { server, client } = await login(checker, 'joe', 'pencil');
    expect(server).toMatchObject({ error: expect.any(TemporaryFailure) });
    expect(client?.error).toBeInstanceOf(Error);
  });
});

describe('the existence of a user is not revealed', () => {
  /**
   * Runs an exchange whose client sends its first message, and then answers as the test decides.
   */
  function attempt(username: string, checker: Checker<ScramCredentials>, options?: PortalOptions) {
    class Avatar {}
    const portal = new Portal(
      new AvatarRealm().provide(Avatar, () => new Avatar()),
      options,
    ).register(checker);
    const answer = Promise.withResolvers<Uint8Array>();
    const challenged: string[] = [];
    const login = authenticate({
      challenger: challenger(),
      portal,
      mind: someMind(),
      interfaces: [Avatar],
      initialResponse: encodeUtf8(`n,,n=${username},r=client-nonce`),
      ask: (challenge) => {
        challenged.push(Buffer.from(challenge).toString());
        return answer.promise;
      },
      minFailureDelay: 0,
      minChallengeDelay: 0,
    });
    return { answer, challenged, error: Promise.resolve(login).catch((thrown: unknown) => thrown) };
  }

  it('to a client that answers after the deadline', async () => {
    for (const username of ['joe', 'ann']) {
      const clock = new FakeClock();
      const { answer, error } = attempt(username, stored, { clock });
      await clock.advance(60_000);
      answer.resolve(encodeUtf8(FINAL));
      expect(await error).toBeInstanceOf(TemporaryFailure);
    }
  });

  it('to a client that cancels the exchange, or breaks it, before it tries', async () => {
    for (const username of ['joe', 'ann']) {
      const guarded = withThrottle(stored, { userAndNetwork: { failures: 2, window: 60_000 } });
      for (let n = 0; n < 3; n++) {
        const { answer, challenged, error } = attempt(username, guarded);
        await settle();
        expect(challenged).toHaveLength(1);
        answer.reject(new ExchangeCancelled());
        expect(await error).toBeInstanceOf(ExchangeCancelled);
        const broken = attempt(username, guarded);
        broken.answer.resolve(encodeUtf8('c=biws'));
        expect(await broken.error).toBeInstanceOf(MalformedResponse);
      }
      const { answer, error } = attempt(username, guarded);
      answer.resolve(encodeUtf8(FINAL));
      expect(await error).toBeInstanceOf(UnauthorizedLogin);
    }
  });

  it("by the store of failures, which counts after the client's answer", async () => {
    const order: string[] = [];
    const counts = new InMemoryFailureCounts();
    const slowly: FailureCounts = {
      get: (key) => counts.get(key),
      add: (key, window) => {
        order.push('counted');
        counts.add(key, window);
      },
      reset: (key) => counts.reset(key),
    };
    for (const username of ['joe', 'ann']) {
      const { answer, error } = attempt(username, withThrottle(stored, { counts: slowly, trusted: () => true }));
      await settle();
      order.push('answered');
      answer.resolve(encodeUtf8(FINAL));
      expect(await error).toBeInstanceOf(UnauthorizedLogin);
    }
    expect(order).toEqual(['answered', 'counted', 'answered', 'counted']);
  });
});

describe('scram', () => {
  it.each([
    ['a short key', { key: new Uint8Array(31) }],
    ['a salt that is too short', { saltLength: 7 }],
    ['a salt that is too long', { saltLength: 65 }],
    ['half a byte of salt', { saltLength: 16.5 }],
    ['too few iterations', { iterations: 4095 }],
    ['no number of iterations', { iterations: Number.NaN }],
  ])('throws for %s', (_what, options) => {
    expect(() => scram({ hash: 'sha256', ...options })).toThrow(RangeError);
  });
});
