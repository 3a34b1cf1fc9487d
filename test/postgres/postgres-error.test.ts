import { inspect } from 'node:util';
import { TemporaryFailure } from '@postern/cred';
import { describe, expect, it } from 'vitest';
import { explainLoginFailure } from '../../packages/postern/src/login-failure.ts';
import { databaseFailure, isStarting, isTransient } from '../../packages/postgres/src/postgres-error.ts';

describe('an error of PostgreSQL', () => {
  it('is a temporary failure in one line, with the server and the correction', () => {
    const error = databaseFailure(sqlError('28P01', 'password authentication failed for user "mail"'), 'db:5432');
    expect(error).toBeInstanceOf(TemporaryFailure);
    expect(explainLoginFailure(error)).toBe(
      'PostgreSQL at db:5432 refuses the role: correct the user and the password of the URL: ' +
        'password authentication failed for user "mail"',
    );
  });

  it('without advice has the words of the server', () => {
    const error = databaseFailure(sqlError('XX000', 'cache lookup failed'), 'db:5432');
    expect(explainLoginFailure(error)).toBe('PostgreSQL at db:5432 does not answer as it should: cache lookup failed');
  });

  it('loses its details, which quote stored values', () => {
    const details = { detail: 'Key (x)=(s3cret)', where: 'JSON data, line 1: s3cret', internalQuery: 's3cret' };
    const error = Object.assign(sqlError('22P02', 'invalid input syntax for type json'), details);
    expect(inspect(databaseFailure(error, 'db:5432'), { depth: 9, showHidden: true })).not.toContain('s3cret');
  });

  it.each<[string, Error, boolean]>([
    ['57P01', sqlError('57P01', 'terminating connection due to administrator command'), true],
    ['57P03', sqlError('57P03', 'the database system is starting up'), true],
    ['ECONNREFUSED', sqlError('ECONNREFUSED', 'connect ECONNREFUSED'), true],
    ['a lost connection', new Error('Connection terminated unexpectedly'), true],
    ['28P01', sqlError('28P01', 'password authentication failed'), false],
    ['57014', sqlError('57014', 'canceling statement due to statement timeout'), false],
    ['a timeout', new Error('Query read timeout'), false],
    ['another error', new Error('x'), false],
  ])('gets a second try only if a new connection may succeed: %s', (_name, error, expected) => {
    expect(isTransient(error)).toBe(expected);
  });

  it('gets its second try after a pause if the server starts', () => {
    expect([sqlError('57P03', ''), sqlError('57P01', '')].map(isStarting)).toEqual([true, false]);
  });
});

function sqlError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
