import { ANONYMOUS, type AvatarId, NoAvatar } from '@postern/cred';
import type { Config } from 'postern';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '../../packages/postern/src/settings.ts';
import { addressOfUser } from '../../packages/postern/src/user-addresses.ts';

const addressOf = (user: AvatarId, config: Config = {}) =>
  addressOfUser(user, settingsOf({ config: { hostname: 'mx.example.org', ...config }, nameOf: String })).toString();

describe('the address whose mail a user reads', () => {
  it.each<[user: string, config: Config, address: string]>([
    ['joe', {}, 'joe@mx.example.org'],
    ['joe', { domains: '*' }, 'joe@mx.example.org'],
    ['joe', { domains: 'example.com,example.net' }, 'joe@example.com'],
    ['joe@example.net', { domains: 'example.com' }, 'joe@example.net'],
    ['Joe', { domains: 'example.com' }, 'Joe@example.com'],
    ['joe smith', { domains: 'example.com' }, '"joe smith"@example.com'],
    ['joe@', { domains: 'example.com' }, '"joe@"@example.com'],
    ['a@b@c', { domains: 'example.com' }, '"a@b@c"@example.com'],
    ['joe-x', { domains: 'example.com' }, 'joe-x@example.com'],
    ['joe+x', { domains: 'example.com', recipientDelimiter: '' }, 'joe+x@example.com'],
    ['+joe', { domains: 'example.com' }, '+joe@example.com'],
    ['joe', { domains: 'example.com', aliases: { joe: 'ann@example.com' } }, 'joe@example.com'],
  ])('of %j with %j is %s', (user, config, address) => {
    expect(addressOf(user, config)).toBe(address);
  });

  it('of a name in quotes is not the address of the name without them', () => {
    expect(addressOf('"joe"@example.com', { domains: 'example.com' })).toBe('"\\"joe\\"@example.com"@example.com');
    expect(addressOf('"joe"', { domains: 'example.com' })).toBe('"\\"joe\\""@example.com');
  });

  it('does not exist for an anonymous client, and for a name with a tag', () => {
    expect(() => addressOf(ANONYMOUS)).toThrow(NoAvatar);
    for (const user of ['ann+joe', 'ann+joe@example.com']) {
      expect(() => addressOf(user, { domains: 'example.com' })).toThrow(NoAvatar);
      expect(() => addressOf(user, { domains: 'example.com' })).toThrow('is in the mailbox of ann@example.com');
    }
    expect(() => addressOf('anne-marie', { recipientDelimiter: '-' })).toThrow('the mailbox of anne@mx.example.org');
  });
});
