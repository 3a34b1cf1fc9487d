import {
  Anonymous,
  AnonymousChecker,
  type AvatarId,
  AvatarRealm,
  CascadingChecker,
  type Checker,
  Credentials,
  checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  PasswordProof,
  Portal,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../support.ts';

class Token extends Credentials {
  readonly username = undefined;
}

const first = new InMemoryUsernamePasswordDatabaseDontUse().addUser('foo', 'bar').addUser('boo', 'far');
const second = new InMemoryUsernamePasswordDatabaseDontUse().addUser('for', 'bao');
const cascade = CascadingChecker.of(first, second);

async function ask(
  checker: Checker<UsernamePassword> | Checker<PasswordProof>,
  username: string,
  password: string,
): Promise<AvatarId> {
  return await checker.requestAvatarId(new UsernamePassword(username, password), mindOf());
}

/** A checker of passwords that counts its calls. */
function answering(answer: () => AvatarId | Promise<AvatarId>): Checker<PasswordProof> & { asked: number } {
  return {
    asked: 0,
    credentialInterfaces: [PasswordProof],
    requestAvatarId() {
      this.asked += 1;
      return answer();
    },
  };
}

const refusing = () =>
  answering(() => {
    throw new UnauthorizedLogin();
  });
const accepting = () => answering(() => 'somebody');
const failing = (error: unknown = new Error('down')) => answering(() => Promise.reject(error));

describe('CascadingChecker, as in Twisted’s tests', () => {
  it('judges the credentials of its members', () => {
    expect(cascade.credentialInterfaces).toEqual([PasswordProof]);
    expect(CascadingChecker.of(first, new AnonymousChecker(), second).credentialInterfaces).toEqual([
      PasswordProof,
      Anonymous,
    ]);
  });

  it('accepts a user of the first member', async () => {
    expect(await ask(cascade, 'foo', 'bar')).toBe('foo');
  });

  it('accepts a user of the second member', async () => {
    expect(await ask(cascade, 'for', 'bao')).toBe('for');
  });

  it('refuses every other user', async () => {
    await expect(ask(cascade, 'steve', 'pswd')).rejects.toBeInstanceOf(UnauthorizedLogin);
  });
});

describe('CascadingChecker, where Twisted’s is wrong', () => {
  it('shares nothing with another cascade', () => {
    const other = CascadingChecker.of(new AnonymousChecker());
    expect(other.credentialInterfaces).toEqual([Anonymous]);
    expect(cascade.credentialInterfaces).toEqual([PasswordProof]);
  });

  it('asks a member only about credentials that it judges', async () => {
    const seen: Credentials[] = [];
    const tokens: Checker<Token> = {
      credentialInterfaces: [Token],
      requestAvatarId: (credentials) => {
        seen.push(credentials);
        return 'the bearer';
      },
    };
    const passwords = refusing();
    const mixed = CascadingChecker.of(tokens, passwords);
    expect(() => mixed.requestAvatarId(new UsernamePassword('foo', 'bar'), mindOf())).toThrow(UnauthorizedLogin);
    expect(seen).toEqual([]);
    expect(await mixed.requestAvatarId(new Token(), mindOf())).toBe('the bearer');
    expect(passwords.asked).toBe(1);
  });

  it('fails temporarily if a member is down that may know the user', async () => {
    const outage = new Error('connection refused');
    const error = await ask(CascadingChecker.of(failing(outage), second), 'foo', 'bar').catch((thrown) => thrown);
    expect(error).toBeInstanceOf(TemporaryFailure);
    expect(error.cause).toBe(outage);
  });

  it('is complete before its registration and never changes', () => {
    const members = [first, new AnonymousChecker()] as const;
    const whole = CascadingChecker.of(...members);
    const portal = new Portal(new AvatarRealm()).register(whole);
    expect(portal.credentialInterfaces).toEqual([PasswordProof, Anonymous]);
    expect(Object.isFrozen(whole.credentialInterfaces)).toBe(true);
  });
});

describe('CascadingChecker', () => {
  it('asks in order, and no member after one that accepts', async () => {
    const members = [refusing(), accepting(), accepting()] as const;
    expect(await ask(CascadingChecker.of(...members), 'foo', 'bar')).toBe('somebody');
    expect(members.map(({ asked }) => asked)).toEqual([1, 1, 0]);
  });

  it('ends with a denial, even after an error', async () => {
    const denial = new LoginDenied('disabled');
    const last = accepting();
    await expect(ask(CascadingChecker.of(failing(), failing(denial), last), 'foo', 'bar')).rejects.toBe(denial);
    expect(last.asked).toBe(0);
  });

  it('asks the next member after an error', async () => {
    expect(await ask(CascadingChecker.of(failing(), accepting()), 'foo', 'bar')).toBe('somebody');
  });

  it('has each error as a cause', async () => {
    const error = await ask(CascadingChecker.of(failing('a'), refusing(), failing('b')), 'foo', 'bar').catch(
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(TemporaryFailure);
    expect(error.cause).toBeInstanceOf(AggregateError);
    expect(error.cause.errors).toEqual(['a', 'b']);
  });

  it('refuses if no member returns an avatar id', async () => {
    const undecided = answering(() => undefined as never);
    expect(await ask(CascadingChecker.of(undecided, accepting()), 'foo', 'bar')).toBe('somebody');
    await expect(ask(CascadingChecker.of(undecided), 'foo', 'bar')).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('asks no further member after the client has disconnected', async () => {
    const connection = new AbortController();
    const leaving = answering(() => {
      connection.abort();
      throw new UnauthorizedLogin();
    });
    const next = accepting();
    const shrinking = CascadingChecker.of(leaving, next);
    const login = async () =>
      shrinking.requestAvatarId(new UsernamePassword('foo', 'bar'), mindOf({}, connection.signal));
    await expect(login()).rejects.toBeInstanceOf(TemporaryFailure);
    expect(next.asked).toBe(0);
  });

  it('returns synchronously if its members do', () => {
    expect(cascade.requestAvatarId(new UsernamePassword('for', 'bao'), mindOf())).toBe('for');
    expect(() => cascade.requestAvatarId(new UsernamePassword('steve', 'pswd'), mindOf())).toThrow(UnauthorizedLogin);
  });

  it('has the same outcome whether its members answer at once or later', async () => {
    const verdict = fc.constantFrom<() => string>(
      () => 'joe',
      () => {
        throw new UnauthorizedLogin();
      },
      () => {
        throw new LoginDenied('disabled');
      },
      () => {
        throw new Error('down');
      },
    );
    const members = fc.array(fc.tuple(verdict, fc.boolean()), { minLength: 1, maxLength: 5 });
    const outcomeOf = async (verdicts: readonly (readonly [() => string, boolean])[]): Promise<unknown> => {
      const [first, ...others] = verdicts.map(([judge, isLate]) =>
        checker([UsernamePassword], () => (isLate ? Promise.resolve().then(judge) : judge())),
      );
      if (first === undefined) throw new Error('no member');
      try {
        return await ask(CascadingChecker.of(first, ...others), 'joe', 's3cret');
      } catch (error) {
        return (error as Error).message;
      }
    };
    await fc.assert(
      fc.asyncProperty(members, async (verdicts) => {
        const atOnce = await outcomeOf(verdicts.map(([judge]) => [judge, false] as const));
        expect(await outcomeOf(verdicts)).toBe(atOnce);
      }),
    );
  });

  it('may be a member of another cascade', async () => {
    const nested = CascadingChecker.of(CascadingChecker.of(first), CascadingChecker.of(second, new AnonymousChecker()));
    expect(nested.credentialInterfaces).toEqual([PasswordProof, Anonymous]);
    expect(await nested.requestAvatarId(new UsernamePassword('for', 'bao'), mindOf())).toBe('for');
  });

  it('throws without a member', () => {
    expect(() => CascadingChecker.of()).toThrow(TypeError);
  });
});

describe('live credentials in a cascade', () => {
  /** Asks the client for its proof only when a checker has its secret, once, as SCRAM does. */
  class Live extends Credentials {
    readonly username: string;
    verified: string[] = [];
    constructor(username: string) {
      super();
      this.username = username;
    }
    async verify(secret: string): Promise<boolean> {
      this.verified.push(secret);
      await Promise.resolve();
      return this.verified.length === 1 && secret === `secret of ${this.username}`;
    }
  }
  const store = (...users: string[]): Checker<Live> => ({
    credentialInterfaces: [Live],
    async requestAvatarId(credentials) {
      if (!users.includes(credentials.username)) throw new UnauthorizedLogin();
      if (!(await credentials.verify(`secret of ${credentials.username}`))) throw new UnauthorizedLogin();
      return credentials.username;
    },
  });

  it('are verified by the member that knows the user', async () => {
    const ann = new Live('ann');
    expect(await CascadingChecker.of(store('joe'), store('ann')).requestAvatarId(ann, mindOf())).toBe('ann');
    expect(ann.verified).toEqual(['secret of ann']);
  });

  it('stay unasked if no member knows the user', async () => {
    const eve = new Live('eve');
    const stores = CascadingChecker.of(store('joe'), store('ann'));
    await expect((async () => stores.requestAvatarId(eve, mindOf()))()).rejects.toBeInstanceOf(UnauthorizedLogin);
    expect(eve.verified).toEqual([]);
  });
});
