import {
  type Ask,
  AvatarRealm,
  type Checker,
  type Clock,
  Credentials,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  type LoginError,
  type MaybePromise,
  type Mind,
  Portal,
  TemporaryFailure,
  UnauthorizedLogin,
} from '@postern/cred';
import {
  authenticate,
  type Challenger,
  cramMd5,
  ExchangeCancelled,
  encodeUtf8,
  login,
  MalformedResponse,
  NO_BYTES,
  plain,
  UnheardRefusal,
} from '@postern/sasl';
import { describe, expect, it } from 'vitest';
import { scripted, someMind } from './exchange.ts';

class Desk implements Disposable {
  cleared = 0;

  [Symbol.dispose](): void {
    this.cleared++;
  }
}

/** Credentials whose check and closing words come from a script. */
class Scripted extends Credentials {
  readonly username = 'tim';
  readonly #script: Script;
  readonly #ask: Ask;

  constructor(script: Script, ask: Ask) {
    super();
    this.#script = script;
    this.#ask = ask;
  }

  check(): MaybePromise<string> {
    return this.#script.check?.(this.#ask) ?? 'tim';
  }

  override accepted(): MaybePromise<void> {
    return this.#script.accepted?.(this.#ask);
  }

  override refused(error: LoginError): MaybePromise<void> {
    return this.#script.refused?.(this.#ask, error);
  }
}

interface Script {
  readonly challenge?: (ask: Ask) => MaybePromise<void>;
  readonly check?: (ask: Ask) => MaybePromise<string>;
  readonly accepted?: (ask: Ask) => MaybePromise<void>;
  readonly refused?: (ask: Ask, error: LoginError) => MaybePromise<void>;
}

interface Facts {
  readonly challenger?: Challenger;
  readonly ask?: Ask;
  readonly mind?: Mind;
  readonly initialResponse?: Uint8Array;
  readonly onCredentials?: (credentials: Credentials) => void;
}

function setUp(script: Script = {}) {
  const desk = new Desk();
  const checker: Checker<Scripted> = {
    credentialInterfaces: [Scripted],
    requestAvatarId: (credentials) => credentials.check(),
  };
  const portal = new Portal(new AvatarRealm().provide(Desk, () => desk))
    .register(checker)
    .register(new InMemoryUsernamePasswordDatabaseDontUse({ tim: 'secret' }));
  const challenger: Challenger<Scripted> = {
    mechanism: 'SCRIPTED',
    credentials: Scripted,
    exposesSecret: false,
    async challenge(ask) {
      await script.challenge?.(ask);
      return new Scripted(script, ask);
    },
  };
  const run = (facts: Facts = {}) =>
    authenticate({
      portal,
      interfaces: [Desk],
      challenger,
      ask: scripted(),
      mind: someMind(),
      initialResponse: undefined,
      minFailureDelay: 0,
      ...facts,
    });
  return { desk, portal, challenger, run };
}

const cancel: Ask = async () => {
  throw new ExchangeCancelled();
};

describe('authenticate', () => {
  it('logs the client in', async () => {
    const { desk, portal, run } = setUp();
    await using tim = await run({ challenger: plain(), initialResponse: encodeUtf8('\0tim\0secret') });
    expect(tim).toMatchObject({ avatarId: 'tim', avatar: desk });
    expect(portal.openLogins).toBe(1);
  });

  it("rejects with the portal's refusal", async () => {
    const { portal, run } = setUp();
    const exchange = run({ challenger: login(), ask: scripted('tim', 'wrong') });
    await expect(exchange).rejects.toThrow(UnauthorizedLogin);
    expect(portal.openLogins).toBe(0);
  });

  it('refuses an initial response, even an empty one, where the server speaks first', async () => {
    const { run } = setUp();
    const exchange = run({ challenger: cramMd5({ hostname: 'localhost' }), initialResponse: NO_BYTES });
    await expect(exchange).rejects.toMatchObject({ malformation: 'unexpected-initial-response' });
  });

  it('rejects with the error that broke the exchange before the credentials', async () => {
    const { run } = setUp();
    await expect(run({ challenger: plain(), ask: cancel })).rejects.toThrow(ExchangeCancelled);
    await expect(run({ challenger: plain(), ask: scripted('tim') })).rejects.toThrow(MalformedResponse);
  });

  it('rejects with the error of the protocol', async () => {
    const lost = new Error('connection reset');
    const exchange = setUp().run({ challenger: plain(), ask: () => Promise.reject(lost) });
    await expect(exchange).rejects.toBe(lost);
  });

  it('rejects with a temporary failure if a challenger throws another error', async () => {
    const bug = new TypeError('undefined is not a function');
    const exchange = setUp({
      challenge: () => {
        throw bug;
      },
    }).run();
    await expect(exchange).rejects.toMatchObject({ code: 'temporary', cause: bug });
  });

  it("rejects with an error of the protocol's onCredentials, also without a wait", async () => {
    const bug = new TypeError('undefined is not a function');
    const onCredentials = () => {
      throw bug;
    };
    const { run } = setUp();
    const exchange = run({ challenger: plain(), initialResponse: encodeUtf8('\0tim\0secret'), onCredentials });
    await expect(exchange).rejects.toBe(bug);
  });

  it('lets a challenger refuse a client before the checker', async () => {
    const exchange = setUp({
      challenge: () => {
        throw new UnauthorizedLogin();
      },
    }).run();
    await expect(exchange).rejects.toThrow(UnauthorizedLogin);
  });
});

describe('an exchange that breaks during the check stays broken', () => {
  it.each<[string, Script['check']]>([
    ['refuses the client', (ask) => ask(NO_BYTES).then(String, () => Promise.reject(new UnauthorizedLogin()))],
    ['has trouble', (ask) => ask(NO_BYTES).then(String, () => Promise.reject(new TypeError('oops')))],
    ['recognises the client', (ask) => ask(NO_BYTES).then(String, () => 'tim')],
    ['lets the error through', (ask) => ask(NO_BYTES).then(String)],
  ])('when the checker %s', async (_what, check) => {
    const { desk, portal, run } = setUp(check && { check });
    await expect(run({ ask: cancel })).rejects.toThrow(ExchangeCancelled);
    expect(portal.openLogins).toBe(0);
    expect(desk.cleared).toBeLessThanOrEqual(1);
  });

  it('and the client gets no further challenge', async () => {
    let asked = 0;
    const { run } = setUp({
      check: (ask) => ask(NO_BYTES).then(String, () => ask(NO_BYTES).then(String)),
    });
    const ask: Ask = () => {
      asked++;
      return Promise.reject(new ExchangeCancelled());
    };
    await expect(run({ ask })).rejects.toThrow(ExchangeCancelled);
    expect(asked).toBe(1);
  });
});

describe('closing words', () => {
  it('follow the login, and precede its success', async () => {
    const ask = scripted('');
    const { run } = setUp({
      accepted: async (say) => {
        await say(encodeUtf8('v=signature'));
      },
    });
    expect((await run({ ask })).avatarId).toBe('tim');
    expect(ask.asked).toEqual(['v=signature']);
  });

  it.each<[string, Script['accepted']]>([
    ['', async (ask) => void (await ask(NO_BYTES))],
    [', even if they swallow that', async (ask) => void (await ask(NO_BYTES).catch(() => {}))],
  ])('log the login out again when the client cancels them%s', async (_what, accepted) => {
    const { desk, portal, run } = setUp(accepted && { accepted });
    await expect(run({ ask: cancel })).rejects.toThrow(ExchangeCancelled);
    expect(desk.cleared).toBe(1);
    expect(portal.openLogins).toBe(0);
  });

  it('log the login out again when they fail', async () => {
    const { desk, run } = setUp({
      accepted: () => {
        throw new RangeError('oops');
      },
    });
    await expect(run()).rejects.toThrow(TemporaryFailure);
    expect(desk.cleared).toBe(1);
  });

  it('receive the refusal', async () => {
    const reasons: LoginError[] = [];
    const denied = new LoginDenied('disabled');
    const { run } = setUp({
      check: () => Promise.reject(denied),
      refused: (_ask, error) => void reasons.push(error),
    });
    await expect(run()).rejects.toBe(denied);
    expect(reasons).toEqual([denied]);
  });

  it('of a refusal reject with the cancellation if the client cancels them', async () => {
    const { run } = setUp({
      check: () => Promise.reject(new UnauthorizedLogin()),
      refused: async (ask) => void (await ask(encodeUtf8('error'))),
    });
    await expect(run({ ask: cancel })).rejects.toThrow(ExchangeCancelled);
  });

  it('of a refusal reject with both errors if the client is lost', async () => {
    const refusal = new UnauthorizedLogin();
    const { run } = setUp({
      check: () => Promise.reject(refusal),
      refused: async (ask) => void (await ask(encodeUtf8('error'))),
    });
    const broken = new Error('the connection broke');
    const unheard = run({ ask: () => Promise.reject(broken) });
    await expect(unheard).rejects.toThrow(UnheardRefusal);
    await expect(unheard).rejects.toMatchObject({ refusal, cause: broken });
  });

  it('of a refusal may reject with an earlier malformed response', async () => {
    const { run } = setUp({
      check: () => Promise.reject(new UnauthorizedLogin()),
      refused: () => {
        throw new MalformedResponse('no proof');
      },
    });
    await expect(run()).rejects.toThrow(MalformedResponse);
  });

  it('of a refusal may accept a cancellation, as OAuth does', async () => {
    const { run } = setUp({
      check: () => Promise.reject(new UnauthorizedLogin()),
      refused: async (ask) => void (await ask(encodeUtf8('error')).catch(() => {})),
    });
    await expect(run({ ask: cancel })).rejects.toThrow(UnauthorizedLogin);
  });

  it('of a refusal become a temporary failure when they throw', async () => {
    const bug = new TypeError('oops');
    const { run } = setUp({
      check: () => Promise.reject(new UnauthorizedLogin()),
      refused: () => {
        throw bug;
      },
    });
    await expect(run()).rejects.toMatchObject({ code: 'temporary', cause: bug });
  });
});

describe('a refusal', () => {
  it("comes minFailureDelay after the client's last message, and success at once", async () => {
    const { clock, wrong, right } = timed();
    const refused = settled(wrong());
    await turns();
    expect(clock.keepsAlive).toBe(true);
    clock.advance(249);
    await turns();
    expect(refused.done).toBe(false);
    clock.advance(1);
    await turns();
    expect(refused.done).toBe(true);

    expect((await right()).avatarId).toBe('tim');
    expect(clock.pending).toBe(0);
  });

  it.each([0.2, 100, 249])('comes at the same time if the checker took %d ms', async (checking) => {
    const { clock, wrong } = timed({ checking });
    const refused = settled(wrong());
    await turns();
    expect(clock.waits[0]).toBeCloseTo(250 - checking);
    clock.advance(250 - checking);
    await turns();
    expect(refused.done).toBe(true);
  });

  it('has no further delay if the checker took longer than minFailureDelay', async () => {
    const { clock, wrong } = timed({ checking: 300 });
    await expect(wrong()).rejects.toThrow(UnauthorizedLogin);
    expect(clock.pending).toBe(0);
  });

  it('has no delay for a client that has disconnected', async () => {
    const gone = new AbortController();
    const { clock, wrong } = timed({ signal: gone.signal });
    const refused = settled(wrong());
    await turns();
    expect(refused.done).toBe(false);
    gone.abort();
    await turns();
    expect(refused.done).toBe(true);
    expect(clock.pending).toBe(0);
  });

  it('has no delay after a broken exchange', async () => {
    const { clock, run } = timed();
    await expect(run({ ask: cancel })).rejects.toThrow(ExchangeCancelled);
    expect(clock.pending).toBe(0);
  });
});

it('logs out an avatar that comes after the client has disconnected', async () => {
  const gone = new AbortController();
  const avatar = Promise.withResolvers<Desk>();
  const desk = new Desk();
  const portal = new Portal(new AvatarRealm().provide(Desk, () => avatar.promise)).register(
    new InMemoryUsernamePasswordDatabaseDontUse({ tim: 'secret' }),
  );
  const exchange = authenticate({
    portal,
    interfaces: [Desk],
    challenger: plain(),
    ask: scripted(),
    mind: someMind({ signal: gone.signal }),
    initialResponse: encodeUtf8('\0tim\0secret'),
  });
  const refused = expect(exchange).rejects.toThrow(TemporaryFailure);
  await turns();
  gone.abort();
  await refused;
  avatar.resolve(desk);
  await turns();
  expect(desk.cleared).toBe(1);
  expect(portal.openLogins).toBe(0);
});

/** Returns a driver on a fake clock, with a checker that takes `checking` milliseconds. */
function timed({ checking = 0, signal = new AbortController().signal } = {}) {
  const clock = new FakeClock();
  const { portal } = setUp();
  const { challenger } = setUp({
    check: () => {
      clock.advance(checking);
      throw new UnauthorizedLogin();
    },
  });
  const run = (facts: { challenger?: Challenger; ask?: Ask; initialResponse?: Uint8Array }) =>
    authenticate({
      portal,
      interfaces: [Desk],
      challenger: plain(),
      ask: scripted(),
      mind: someMind({ signal }),
      initialResponse: undefined,
      clock,
      ...facts,
    });
  return {
    clock,
    run,
    wrong: () => run({ challenger }),
    right: () => run({ initialResponse: encodeUtf8('\0tim\0secret') }),
  };
}

class FakeClock implements Clock {
  readonly waits: number[] = [];
  keepsAlive = false;
  readonly #timers = new Map<() => void, number>();
  #now = 1000;

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void, keepsAlive = false): Disposable {
    this.waits.push(milliseconds);
    this.keepsAlive = keepsAlive;
    this.#timers.set(callback, this.#now + milliseconds);
    return { [Symbol.dispose]: () => void this.#timers.delete(callback) };
  }

  get pending(): number {
    return this.#timers.size;
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    for (const [callback, at] of this.#timers) {
      if (at > this.#now) continue;
      this.#timers.delete(callback);
      callback();
    }
  }
}

/** Returns a record of whether the promise has settled. */
function settled(work: MaybePromise<unknown>): { readonly done: boolean } {
  const state = { done: false };
  const end = (): void => {
    state.done = true;
  };
  Promise.resolve(work).then(end, end);
  return state;
}

/** Resolves when all pending microtasks have run. */
function turns(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
