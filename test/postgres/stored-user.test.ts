import { type UserRecord, UserStoreError } from '@postern/users';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { userFromJson, userToJson } from '../../packages/postgres/src/stored-user.ts';

describe('a record as JSON', () => {
  it('has all parts when it is read again', () => {
    const date = fc.date({ noInvalidDate: true });
    const text = fc.string({ unit: 'grapheme' }).filter((value) => !value.includes('\0'));
    const texts = fc.array(text);
    const password = fc.record(
      { name: text, secrets: texts, scopes: texts, expires: date, lastUsed: date },
      { requiredKeys: ['name', 'secrets'] },
    );
    const user = fc.record(
      {
        name: text,
        secrets: texts,
        enabled: fc.boolean(),
        expires: date,
        mustChangePassword: fc.boolean(),
        scopes: texts,
        appPasswords: fc.array(password),
        totp: fc.record({ secret: text, lastStep: fc.nat() }, { requiredKeys: ['secret'] }),
      },
      { requiredKeys: ['name', 'secrets'] },
    );
    fc.assert(
      fc.property(user, (record) => {
        expect(userFromJson('joe', JSON.parse(userToJson(record)))).toEqual(record);
      }),
    );
  });

  it.each(['\0', 'a\ud800', '\udfffa'])('refuses %j, which PostgreSQL cannot store', (text) => {
    expect(() => userToJson({ name: 'joe', secrets: [], scopes: [text] })).toThrow(TypeError);
    expect(() => userToJson({ name: 'joe', secrets: [`\\${text}`] })).toThrow(TypeError);
  });

  it.each(['\\u0000', '\\\\ud800', '"\\'])('keeps the text %j', (text) => {
    const user: UserRecord = { name: 'joe', secrets: [text] };
    expect(userFromJson('joe', JSON.parse(userToJson(user)))).toEqual(user);
  });

  it.each([
    null,
    [],
    'joe',
    { name: 'joe' },
    { name: 1, secrets: [] },
    { name: 'joe', secrets: [1] },
    { name: 'joe', secrets: [], enabled: 'no' },
    { name: 'joe', secrets: [], mustChangePassword: 1 },
    { name: 'joe', secrets: [], expires: 'tomorrow' },
    { name: 'joe', secrets: [], scopes: 'smtp' },
    { name: 'joe', secrets: [], totp: { digits: 6 } },
    { name: 'joe', secrets: [], appPasswords: [{ name: 'phone' }] },
    { name: 'joe', secrets: [], appPasswords: [{ name: 'phone', secrets: [], lastUsed: 0 }] },
  ])('is an error of the operator if it is no record: %j', (value) => {
    expect(() => userFromJson('joe', value)).toThrow(UserStoreError);
    expect(() => userFromJson('joe', value)).toThrow('the record of the user "joe" in the database is malformed');
  });
});
