import {
  asLoginError,
  culpritOf,
  isThrottled,
  LoginDenied,
  LoginError,
  NoAvatar,
  TemporaryFailure,
  UnauthorizedLogin,
  UnhandledCredentials,
} from '@postern/cred';
import { describe, expect, it } from 'vitest';

describe('an error of a login', () => {
  it.each([
    [new UnauthorizedLogin(), 'UnauthorizedLogin', 'unauthorized', 'client'],
    [new LoginDenied('disabled'), 'LoginDenied', 'denied', 'client'],
    [new TemporaryFailure('x'), 'TemporaryFailure', 'temporary', 'us'],
    [new UnhandledCredentials('x'), 'UnhandledCredentials', 'unhandled-credentials', 'operator'],
    [new NoAvatar('x'), 'NoAvatar', 'no-avatar', 'operator'],
  ])('has a name, a stable code and a culprit: %s', (error, name, code, culprit) => {
    expect(error).toBeInstanceOf(LoginError);
    expect(error).toMatchObject({ name, code, culprit });
    expect(String(error.stack)).toMatch(new RegExp(`^${name}: `));
  });

  it('stays as it is, and any other error is the cause of a TemporaryFailure', () => {
    const denial = new LoginDenied('policy');
    expect(asLoginError(denial)).toBe(denial);
    const bug = new TypeError('x is not a function');
    expect(asLoginError(bug)).toBeInstanceOf(TemporaryFailure);
    expect(asLoginError(bug).cause).toBe(bug);
    expect(asLoginError(undefined)).toBeInstanceOf(TemporaryFailure);
  });

  it('that is temporary has the culprit of its option, or the operator if that is the culprit of each cause', () => {
    const database = new TemporaryFailure('refuses connections', { culprit: 'operator' });
    const bug = new TypeError('x is not a function');
    const culpritFor = (cause: unknown) => new TemporaryFailure('no checker accepted', { cause }).culprit;
    expect(database.culprit).toBe('operator');
    expect(culpritFor(database)).toBe('operator');
    expect(culpritFor(new AggregateError([database, database]))).toBe('operator');
    expect(culpritFor(new AggregateError([database, bug]))).toBe('us');
    expect(culpritFor(bug)).toBe('us');
    expect(culpritFor(new UnauthorizedLogin())).toBe('us');
  });

  it('of any kind has a culprit', () => {
    const config = Object.assign(new Error('ownSenders: expected a table'), { culprit: 'operator' });
    expect(culpritOf(config)).toBe('operator');
    expect(culpritOf(new LoginDenied('disabled'))).toBe('client');
    expect(culpritOf(new TemporaryFailure('x', { cause: config }))).toBe('operator');
    expect(culpritOf(new TypeError('x is not a function'))).toBe('us');
    expect(culpritOf(undefined)).toBe('us');
  });

  it('is throttled only as a denial with the reason too-many', () => {
    expect(isThrottled(new LoginDenied('too-many'))).toBe(true);
    expect(isThrottled(new LoginDenied('disabled'))).toBe(false);
    expect(isThrottled(new UnauthorizedLogin())).toBe(false);
  });
});
