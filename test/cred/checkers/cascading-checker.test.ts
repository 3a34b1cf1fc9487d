import {
  Anonymous,
  AnonymousChecker,
  type AvatarId,
  AvatarRealm,
  CascadingChecker,
  type Checker,
  Credentials,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  PasswordProof,
  Portal,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../support.ts';

class Token extends Credentials {
  readonly username = undefined;
}

const first = new InMemoryUsernamePasswordDatabaseDontUse().addUser('foo', 'bar').addUser('boo', 'far');
const second = new InMemoryUsernamePasswordDatabaseDontUse().addUser('for', 'bao');
const cascade = CascadingChecker.of(first, second);

function ask(
  checker: Checker<UsernamePassword> | Checker<PasswordProof>,
  username: string,
  password: string,
): Promise<AvatarId> {
  return Promise.resolve(checker.requestAvatarId(new UsernamePassword(username, password), mindOf()));
}

/** A checker of passwords that counts how often it is asked. */
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

describe('the cascade of the original', () => {
  it('judges what its checkers judge', () => {
    expect(cascade.credentialInterfaces).toEqual([PasswordProof]);
    expect(CascadingChecker.of(first, new AnonymousChecker(), second).credentialInterfaces).toEqual([
      PasswordProof,
      Anonymous,
    ]);
  });

  it('recognises a user of the first checker', async () => {
    expect(await ask(cascade, 'foo', 'bar')).toBe('foo');
  });

  it('recognises a user of the second checker', async () => {
    expect(await ask(cascade, 'for', 'bao')).toBe('for');
  });

  it('recognises nobody else', async () => {
    await expect(ask(cascade, 'steve', 'pswd')).rejects.toBeInstanceOf(UnauthorizedLogin);
  });
});

describe('what the original got wrong', () => {
  it('two cascades share nothing', () => {
    const other = CascadingChecker.of(new AnonymousChecker());
    expect(other.credentialInterfaces).toEqual([Anonymous]);
    expect(cascade.credentialInterfaces).toEqual([PasswordProof]);
  });

  it('a checker is asked only about credentials that it judges', async () => {
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
    await expect(mixed.requestAvatarId(new UsernamePassword('foo', 'bar'), mindOf())).rejects.toBeInstanceOf(
      UnauthorizedLogin,
    );
    expect(seen).toEqual([]);
    expect(await mixed.requestAvatarId(new Token(), mindOf())).toBe('the bearer');
    expect(passwords.asked).toBe(1);
  });

  it('an outage is no refusal: who might be known to the checker that is down can try again', async () => {
    const outage = new Error('connection refused');
    const error = await ask(CascadingChecker.of(failing(outage), second), 'foo', 'bar').catch((thrown) => thrown);
    expect(error).toBeInstanceOf(TemporaryFailure);
    expect(error.cause).toBe(outage);
  });

  it('a portal sees all that it judges: a cascade is whole before it is registered, and stays as it is', () => {
    const members = [first, new AnonymousChecker()] as const;
    const whole = CascadingChecker.of(...members);
    const portal = new Portal(new AvatarRealm()).register(whole);
    expect(portal.credentialInterfaces).toEqual([PasswordProof, Anonymous]);
    expect(Object.isFrozen(whole.credentialInterfaces)).toBe(true);
  });
});

describe('a cascade', () => {
  it('asks in order, and nobody after the one who recognises', async () => {
    const members = [refusing(), accepting(), accepting()] as const;
    expect(await ask(CascadingChecker.of(...members), 'foo', 'bar')).toBe('somebody');
    expect(members.map(({ asked }) => asked)).toEqual([1, 1, 0]);
  });

  it('ends with a denial, even after trouble', async () => {
    const denial = new LoginDenied('disabled');
    const last = accepting();
    await expect(ask(CascadingChecker.of(failing(), failing(denial), last), 'foo', 'bar')).rejects.toBe(denial);
    expect(last.asked).toBe(0);
  });

  it('goes on after trouble, to the checker that recognises', async () => {
    expect(await ask(CascadingChecker.of(failing(), accepting()), 'foo', 'bar')).toBe('somebody');
  });

  it('remembers every trouble', async () => {
    const error = await ask(CascadingChecker.of(failing('a'), refusing(), failing('b')), 'foo', 'bar').catch(
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(TemporaryFailure);
    expect(error.cause).toBeInstanceOf(AggregateError);
    expect(error.cause.errors).toEqual(['a', 'b']);
  });

  it('takes no decision for a refusal', async () => {
    const undecided = answering(() => undefined as never);
    expect(await ask(CascadingChecker.of(undecided, accepting()), 'foo', 'bar')).toBe('somebody');
    await expect(ask(CascadingChecker.of(undecided), 'foo', 'bar')).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('asks nobody any more once the client has left', async () => {
    const connection = new AbortController();
    const leaving = answering(() => {
      connection.abort();
      throw new UnauthorizedLogin();
    });
    const next = accepting();
    const login = CascadingChecker.of(leaving, next).requestAvatarId(
      new UsernamePassword('foo', 'bar'),
      mindOf({}, connection.signal),
    );
    await expect(login).rejects.toBeInstanceOf(TemporaryFailure);
    expect(next.asked).toBe(0);
  });

  it('may be part of another', async () => {
    const nested = CascadingChecker.of(CascadingChecker.of(first), CascadingChecker.of(second, new AnonymousChecker()));
    expect(nested.credentialInterfaces).toEqual([PasswordProof, Anonymous]);
    expect(await nested.requestAvatarId(new UsernamePassword('for', 'bao'), mindOf())).toBe('for');
  });

  it('of nobody is an error', () => {
    expect(() => CascadingChecker.of()).toThrow(TypeError);
  });
});

describe('live credentials', () => {
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

  it('fall through to the checker that knows the user, and are verified there', async () => {
    const ann = new Live('ann');
    expect(await CascadingChecker.of(store('joe'), store('ann')).requestAvatarId(ann, mindOf())).toBe('ann');
    expect(ann.verified).toEqual(['secret of ann']);
  });

  it('are left alone where nobody knows the user', async () => {
    const eve = new Live('eve');
    const login = CascadingChecker.of(store('joe'), store('ann')).requestAvatarId(eve, mindOf());
    await expect(login).rejects.toBeInstanceOf(UnauthorizedLogin);
    expect(eve.verified).toEqual([]);
  });
});
