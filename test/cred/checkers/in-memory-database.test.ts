import {
  InMemoryUsernamePasswordDatabaseDontUse,
  isUserDirectory,
  PasswordProof,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { describe, expect, it } from 'vitest';

/** A proof with an asynchronous check, as that of live credentials. */
class SlowProof extends PasswordProof {
  readonly username: string;
  readonly #password: string;
  asked = 0;
  constructor(username: string, password: string) {
    super();
    this.username = username;
    this.#password = password;
  }
  override async checkPassword(password: string): Promise<boolean> {
    this.asked += 1;
    return password === this.#password;
  }
}

const ask = async (database: InMemoryUsernamePasswordDatabaseDontUse, proof: PasswordProof) =>
  database.requestAvatarId(proof);

describe('InMemoryUsernamePasswordDatabaseDontUse', () => {
  it.each([
    ['an object', new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' })],
    ['pairs', new InMemoryUsernamePasswordDatabaseDontUse([['joe', 's3cret']])],
    ['a Map', new InMemoryUsernamePasswordDatabaseDontUse(new Map([['joe', 's3cret']]))],
    ['addUser', new InMemoryUsernamePasswordDatabaseDontUse().addUser('joe', 's3cret')],
  ])('takes its users from %s', async (_what, database) => {
    expect(await ask(database, new UsernamePassword('joe', 's3cret'))).toBe('joe');
    await expect(ask(database, new UsernamePassword('joe', 'S3cret'))).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('judges every proof of a password', async () => {
    const database = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
    expect(await ask(database, new SlowProof('joe', 's3cret'))).toBe('joe');
    await expect(ask(database, new SlowProof('joe', 'wrong'))).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('knows no user by the name of an object property', async () => {
    const database = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
    for (const name of ['__proto__', 'constructor', 'toString', '']) {
      await expect(ask(database, new UsernamePassword(name, ''))).rejects.toBeInstanceOf(UnauthorizedLogin);
    }
  });

  it('does not ask for the proof of an unknown user', async () => {
    const proof = new SlowProof('ann', 's3cret');
    await expect(ask(new InMemoryUsernamePasswordDatabaseDontUse(), proof)).rejects.toBeInstanceOf(UnauthorizedLogin);
    expect(proof.asked).toBe(0);
  });

  it('finds a user in any case of ASCII letters', () => {
    const database = new InMemoryUsernamePasswordDatabaseDontUse({ Joe: 's3cret' }).addUser(
      'ann@example.com',
      's3cret',
    );
    for (const name of ['Joe', 'JOE', 'Ann@Example.COM']) expect(database.hasUser(name)).toBe(true);
    for (const name of ['', 'jo', 'constructor', 'J\u00d6E']) expect(database.hasUser(name)).toBe(false);
    expect(isUserDirectory(database)).toBe(true);
    expect(isUserDirectory({ hasUser: true })).toBe(false);
  });
});
