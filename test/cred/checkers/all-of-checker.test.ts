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

/** A second factor that answers as it is told. */
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

describe('all of several checkers', () => {
  it('have to recognise the client', async () => {
    expect(await ask(AllOfChecker.of(passwords, right()))).toBe('joe');
    await expect(ask(AllOfChecker.of(passwords, throwing(new UnauthorizedLogin())))).rejects.toBeInstanceOf(
      UnauthorizedLogin,
    );
    await expect(ask(AllOfChecker.of(passwords, right()), 'wrong')).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('have to recognise the same one', async () => {
    const other = factor(() => 'ann');
    await expect(ask(AllOfChecker.of(passwords, other))).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('are all asked even after one refused, so that nothing tells which', async () => {
    const last = right();
    await ask(AllOfChecker.of(passwords, last), 'wrong').catch(() => {});
    expect(last.asked).toBe(1);
  });

  it('judge what they have in common', () => {
    expect(AllOfChecker.of(passwords, right()).credentialInterfaces).toEqual([UsernamePassword]);
    expect(AllOfChecker.of(passwords, passwords).credentialInterfaces).toEqual([PasswordProof]);
    expect(AllOfChecker.of(new AnonymousChecker()).credentialInterfaces).toEqual([Anonymous]);
  });

  it('are an error where they have nothing in common', () => {
    expect(() => AllOfChecker.of(passwords, new AnonymousChecker())).toThrow(/in common/);
    expect(() => AllOfChecker.of()).toThrow(/in common/);
  });

  it('refuse for certain if one refuses, whatever else happened', async () => {
    const factors = [
      throwing(new Error('down')),
      throwing(new LoginDenied('disabled')),
      throwing(new UnauthorizedLogin()),
    ] as const;
    await expect(ask(AllOfChecker.of(...factors))).rejects.toBeInstanceOf(UnauthorizedLogin);
  });

  it('fail for now if one is down: nobody is denied whose other factors are unknown', async () => {
    const outage = new Error('down');
    const error = await ask(AllOfChecker.of(throwing(new LoginDenied('disabled')), throwing(outage))).catch(
      (thrown) => thrown,
    );
    expect(error).toBeInstanceOf(TemporaryFailure);
    expect(error.cause).toBe(outage);
  });

  it('deny if one denies and the others recognise', async () => {
    const denial = new LoginDenied('expired');
    await expect(ask(AllOfChecker.of(passwords, throwing(denial)))).rejects.toBe(denial);
  });

  it('remember nothing from one login to the next', async () => {
    const answers = ['joe', 'ann'];
    const changing = factor(() => answers.shift() ?? '');
    const both = AllOfChecker.of(passwords, changing);
    expect(await ask(both)).toBe('joe');
    const ann = both.requestAvatarId(new UsernamePassword('ann', 'hunter2'), mindOf());
    expect(await ann).toBe('ann');
  });

  it('take no decision for a refusal', async () => {
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
