import {
  ANONYMOUS,
  Anonymous,
  AnonymousChecker,
  type AvatarId,
  CascadingChecker,
  type Checker,
  checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { testMind } from '@postern/testing';
import { InMemoryUserStore, type TotpRecord, totpCode, type UserStore, withTotp } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { NOW } from '../checker-support.ts';

const totp: TotpRecord = { secret: 'JBSWY3DPEHPK3PXP' };
const code = totpCode(totp, NOW);
const wrongCode = code === '000000' ? '000001' : '000000';
const now = () => NOW;
const directory = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret', ann: 'pa55word' });
const codes = () => new InMemoryUserStore([{ name: 'joe', secrets: [], totp }]);

async function outcome(users: Checker<UsernamePassword>, username: string, password: string): Promise<unknown> {
  try {
    return await users.requestAvatarId(new UsernamePassword(username, password), testMind());
  } catch (error) {
    return error;
  }
}

/** A first factor with one answer, which counts its calls. */
function answering(answer: () => AvatarId): { asked: number; checker: Checker<UsernamePassword> } {
  const judge = (): AvatarId => {
    first.asked += 1;
    return answer();
  };
  const first = { asked: 0, checker: checker([UsernamePassword], judge) };
  return first;
}

const failing = (error: Error) =>
  answering(() => {
    throw error;
  });

describe('withTotp', () => {
  it('accepts the password and the code of any first factor, once', async () => {
    const users = withTotp(directory, codes(), { now });
    expect(users.credentialInterfaces).toEqual([UsernamePassword]);
    expect(await outcome(users, 'joe', `s3cret${code}`)).toBe('joe');
    expect(await outcome(users, 'joe', `s3cret${code}`)).toEqual(new UnauthorizedLogin());
  });

  it.each([
    ['the password alone', 's3cret'],
    ['a wrong code', `s3cret${wrongCode}`],
    ['a wrong password', `wrong${code}`],
  ])('refuses %s like both factors wrong', async (_what, password) => {
    const users = withTotp(directory, codes(), { now });
    expect(await outcome(users, 'joe', password)).toEqual(await outcome(users, 'joe', `wrong${wrongCode}`));
  });

  it('asks the first factor even if the code is wrong', async () => {
    const first = answering(() => 'joe');
    expect(await outcome(withTotp(first.checker, codes(), { now }), 'joe', `s3cret${wrongCode}`)).toEqual(
      new UnauthorizedLogin(),
    );
    expect(first.asked).toBe(1);
  });

  it.each([new LoginDenied('disabled'), new TemporaryFailure('down'), new Error('down')])(
    'passes an error of the first factor on beside a right code only: %s',
    async (error) => {
      const users = withTotp(failing(error).checker, codes(), { now });
      expect(await outcome(users, 'joe', `s3cret${code}`)).toBe(error);
      expect(await outcome(users, 'joe', `s3cret${wrongCode}`)).toEqual(new UnauthorizedLogin());
    },
  );

  it('leaves a user without a record to the first factor, unless a code is required', async () => {
    expect(await outcome(withTotp(directory, codes(), { now }), 'ann', 'pa55word')).toBe('ann');
    const strict = withTotp(directory, codes(), { now, required: true });
    expect(await outcome(strict, 'ann', 'pa55word')).toEqual(new UnauthorizedLogin());
    expect(await outcome(strict, 'joe', `s3cret${code}`)).toBe('joe');
    const down = failing(new Error('down'));
    expect(await outcome(withTotp(down.checker, codes(), { required: true }), 'ann', 'x')).toEqual(
      new UnauthorizedLogin(),
    );
    expect(down.asked).toBe(1);
  });

  it('refuses a second name of the user, by which the store does not find the record', async () => {
    const users = withTotp(answering(() => 'joe').checker, codes(), { now });
    expect(await outcome(users, 'joe.smith', 's3cret')).toEqual(new UnauthorizedLogin());
    expect(await outcome(users, 'joe.smith', `s3cret${code}`)).toEqual(new UnauthorizedLogin());
    expect(await outcome(withTotp(answering(() => 'ann').checker, codes()), 'ann.smith', 's3cret')).toBe('ann');
    expect(await outcome(withTotp(answering(() => ANONYMOUS).checker, codes()), 'ann', 's3cret')).toBe(ANONYMOUS);
  });

  it('refuses factors of different users, and accepts two spellings of one name', async () => {
    const other = withTotp(answering(() => 'ann').checker, codes(), { now });
    expect(await outcome(other, 'joe', `s3cret${code}`)).toEqual(new UnauthorizedLogin());
    const spelling = withTotp(answering(() => 'Joe').checker, codes(), { now });
    expect(await outcome(spelling, 'JOE', `s3cret${code}`)).toBe('Joe');
  });

  it('fails temporarily with a malformed record, and with a store that is down', async () => {
    const malformed: UserStore = { find: (name) => ({ name, secrets: [], totp: { secret: '1' } }) };
    const failure = await outcome(withTotp(directory, malformed), 'joe', `s3cret${code}`);
    expect(failure).toBeInstanceOf(TemporaryFailure);
    expect(failure).toMatchObject({ message: 'user "joe": the TOTP record is malformed: the secret is not in base32' });
    const down: UserStore = { find: () => Promise.reject(new Error('down')) };
    expect(await outcome(withTotp(directory, down), 'joe', `s3cret${code}`)).toEqual(new Error('down'));
  });

  it('judges passwords alone, while the first factor does', () => {
    expect(() => withTotp(new AnonymousChecker(), codes())).toThrow(TypeError);
    const both = CascadingChecker.of(directory, new AnonymousChecker());
    expect(withTotp(both, codes()).credentialInterfaces).toEqual([UsernamePassword]);
    const live = { credentialInterfaces: [UsernamePassword] as readonly unknown[], requestAvatarId: () => 'joe' };
    const users = withTotp(live as never, codes());
    expect(users.credentialInterfaces).toBe(users.credentialInterfaces);
    live.credentialInterfaces = [Anonymous];
    expect(users.credentialInterfaces).toEqual([]);
  });

  it.each([-1, 0.5, 11])('refuses a window of %d steps', (window) => {
    expect(() => withTotp(directory, codes(), { window })).toThrow(RangeError);
  });
});
