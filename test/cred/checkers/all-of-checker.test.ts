import {
  AllOfChecker,
  Anonymous,
  AnonymousChecker,
  type AvatarId,
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  PasswordProof,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../support.ts';

const passwords = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret', ann: 'hunter2' });

/** Returns a second factor with this result. */
function factor(answer: () => AvatarId | Promise<AvatarId>): Checker<UsernamePassword> & { asked: number } {
  return {
    asked: 0,
    credentialInterfaces: [UsernamePassword],
    requestAvatarId() {
      this.asked += 1;
      return answer();
    },
  };
}

const right = () => factor(() => 'joe');
const throwing = (error: unknown) => factor(() => Promise.reject(error));

function ask(checker: Checker<UsernamePassword>, password = 's3cret'): Promise<AvatarId> {
  return Promise.resolve(checker.requestAvatarId(new UsernamePassword('joe', password), mindOf()));
}

describe('AllOfChecker', () => {
  it('accepts a client that all members accept', async () => {
    expect(await ask(AllOfChecker.of(passwords, right()))).toBe('joe');
    await expect(ask(AllOfChecker.of(passwords, throwing(new UnauthorizedLogin())))).rejects.toBeInstanceOf(
      UnauthorizedLogin,
    );
    await expect(ask(AllOfChecker.of(passwords, right()), 'wrong')).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('refuses a client with different avatar ids', async () => {
    const other = factor(() => 'ann');
    await expect(ask(AllOfChecker.of(passwords, other))).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('asks all members after a refusal, so that the wrong factor stays hidden', async () => {
    const last = right();
    await ask(AllOfChecker.of(passwords, last), 'wrong').catch(() => {});
    expect(last.asked).toBe(1);
  });

  it('judges the credentials that its members have in common', () => {
    expect(AllOfChecker.of(passwords, right()).credentialInterfaces).toEqual([UsernamePassword]);
    expect(AllOfChecker.of(passwords, passwords).credentialInterfaces).toEqual([PasswordProof]);
    expect(AllOfChecker.of(new AnonymousChecker()).credentialInterfaces).toEqual([Anonymous]);
  });

  it('throws for members without common credentials', () => {
    expect(() => AllOfChecker.of(passwords, new AnonymousChecker())).toThrow(/in common/);
    expect(() => AllOfChecker.of()).toThrow(/in common/);
  });

  it('refuses if one member refuses, whatever the others do', async () => {
    const factors = [
      throwing(new Error('down')),
      throwing(new LoginDenied('disabled')),
      throwing(new UnauthorizedLogin()),
    ] as const;
    await expect(ask(AllOfChecker.of(...factors))).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('fails temporarily if one member is down, even if another denies', async () => {
    const outage = new Error('down');
    const error = await ask(AllOfChecker.of(throwing(new LoginDenied('disabled')), throwing(outage))).catch(
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(TemporaryFailure);
    expect(error.cause).toBe(outage);
  });

  it('denies if one member denies and the others accept', async () => {
    const denial = new LoginDenied('expired');
    await expect(ask(AllOfChecker.of(passwords, throwing(denial)))).rejects.toBe(denial);
  });

  it('remembers nothing between logins', async () => {
    const answers = ['joe', 'ann'];
    const changing = factor(() => answers.shift() ?? '');
    const both = AllOfChecker.of(passwords, changing);
    expect(await ask(both)).toBe('joe');
    const ann = both.requestAvatarId(new UsernamePassword('ann', 'hunter2'), mindOf());
    expect(await ann).toBe('ann');
  });

  it('refuses if a member returns nothing', async () => {
    await expect(
      ask(
        AllOfChecker.of(
          passwords,
          factor(() => undefined as never),
        ),
      ),
    ).rejects.toBeInstanceOf(UnauthorizedLogin);
  });
});
