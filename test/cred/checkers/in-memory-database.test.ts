import {
  InMemoryUsernamePasswordDatabaseDontUse,
  isUserDirectory,
  PasswordProof,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { describe, expect, it } from 'vitest';

/** A proof that is checked in a while, as one that asks the client is. */
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

describe('the database in memory', () => {
  it.each([
    ['an object', new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' })],
    ['pairs', new InMemoryUsernamePasswordDatabaseDontUse([['joe', 's3cret']])],
    ['a Map', new InMemoryUsernamePasswordDatabaseDontUse(new Map([['joe', 's3cret']]))],
    ['addUser', new InMemoryUsernamePasswordDatabaseDontUse().addUser('joe', 's3cret')],
  ])('takes its users from %s', async (_what, database) => {
    expect(await ask(database, new UsernamePassword('joe', 's3cret'))).toBe('joe');
    await expect(ask(database, new UsernamePassword('joe', 'S3cret'))).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('serves every proof that rests on a password', async () => {
    const database = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
    expect(await ask(database, new SlowProof('joe', 's3cret'))).toBe('joe');
    await expect(ask(database, new SlowProof('joe', 'wrong'))).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('knows nobody by the names that every object has', async () => {
    const database = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
    for (const name of ['__proto__', 'constructor', 'toString', '']) {
      await expect(ask(database, new UsernamePassword(name, ''))).rejects.toBeInstanceOf(UnauthorizedLogin);
    }
  });

  it('leaves the proof of a user alone whom it does not know', async () => {
    const proof = new SlowProof('ann', 's3cret');
    await expect(ask(new InMemoryUsernamePasswordDatabaseDontUse(), proof)).rejects.toBeInstanceOf(UnauthorizedLogin);
    expect(proof.asked).toBe(0);
  });

  it('knows its users, whatever the case of their names', () => {
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
