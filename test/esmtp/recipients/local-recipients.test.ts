import {
  type AliasEntry,
  AliasError,
  LocalRecipients,
  type LocalRecipientsOptions,
  Mailbox,
  parseMailbox,
} from '@postern/esmtp';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const hostname = 'mx.example.com';

function resolve(options: Omit<LocalRecipientsOptions, 'hostname'>, address: string): unknown {
  const resolution = new LocalRecipients({ hostname, ...options }).resolve(mailbox(address));
  const plain = (found: Awaited<typeof resolution>) => (typeof found === 'string' ? found : found.map(String));
  return resolution instanceof Promise ? resolution.then(plain) : plain(resolution);
}

function mailbox(address: string): Mailbox {
  return parseMailbox(address) ?? new Mailbox(address, '');
}

describe('a list of mailboxes', () => {
  const options = { mailboxes: ['ann@example.com', 'Bob@Example.COM', '@all.example', 'c++@example.com'] };

  it.each([
    ['ann@example.com', 'known'],
    ['Ann@EXAMPLE.com', 'known'],
    ['BOB@example.com', 'known'],
    ['ann+tag@example.com', 'known'],
    ['c++@example.com', 'known'],
    ['anybody@all.example', 'known'],
    ['eve@example.com', 'unknown'],
    ['ann-tag@example.com', 'unknown'],
    ['"ann@example.com"@example.com', 'unknown'],
    ['ann@example.org', 'foreign'],
    ['ann@sub.example.com', 'foreign'],
    // The Kelvin sign is no k.
    ['ann@e\u212aample.com', 'foreign'],
    ['postmaster@example.com', 'known'],
    ['Postmaster@all.example', 'known'],
    ['postmaster@mx.example.com', 'known'],
    ['postmaster@example.org', 'foreign'],
    ['Postmaster', ['postmaster@example.com']],
  ])('has %s as %j', (address, resolution) => {
    expect(resolve(options, address)).toEqual(resolution);
  });

  it('has names at each domain of the server, or at its hostname', () => {
    const domains = ['example.com', 'example.org'];
    expect(resolve({ mailboxes: ['ann'], domains }, 'ann@example.org')).toBe('known');
    expect(resolve({ mailboxes: ['ann'], domains }, 'eve@example.org')).toBe('unknown');
    expect(resolve({ mailboxes: ['ann'], domains }, 'ann@example.net')).toBe('foreign');
    expect(resolve({ mailboxes: ['ann'], domains: '*' }, 'ann@example.net')).toBe('known');
    expect(resolve({ mailboxes: ['ann'] }, 'ann@mx.example.com')).toBe('known');
    expect(resolve({ mailboxes: ['ann'] }, 'ann@example.com')).toBe('foreign');
    // LMTP has names without a domain.
    expect(resolve({ mailboxes: ['ann'], domains }, 'ann')).toEqual(['ann@example.com']);
  });

  it('has no tags without a delimiter', () => {
    expect(resolve({ mailboxes: ['ann@x.example'], recipientDelimiter: '' }, 'ann+tag@x.example')).toBe('unknown');
    expect(resolve({ mailboxes: ['ann@x.example'], recipientDelimiter: '-' }, 'ann-tag@x.example')).toBe('known');
  });

  it.each(['', '@', 'ann@', 'ann b', 'ann@exa mple'])('refuses %j', (wrong) => {
    expect(() => new LocalRecipients({ hostname, mailboxes: [wrong] })).toThrow(TypeError);
    expect(() => new LocalRecipients({ hostname, domains: [wrong] })).toThrow(TypeError);
  });
});

describe('domains', () => {
  it('without mailboxes have each local part, and other domains have none', () => {
    const domains = ['Example.com', '[192.0.2.1]'];
    expect(resolve({ domains }, 'whoever@EXAMPLE.com')).toBe('known');
    expect(resolve({ domains }, 'whoever@[192.0.2.1]')).toBe('known');
    expect(resolve({ domains }, 'ann@example.org')).toBe('foreign');
    expect(resolve({ domains }, 'ann@mx.example.com')).toBe('foreign');
    expect(resolve({ domains }, 'postmaster@mx.example.com')).toBe('known');
    expect(resolve({ domains: '*' }, 'ann@example.org')).toBe('known');
  });
});

describe('a lookup', () => {
  const lookup = ({ localPart, domain }: Mailbox) =>
    domain === 'example.com' &&
    (localPart === 'ann' || (localPart === 'sales' && ['ann@example.com', 'bob@example.org']));

  it.each([false, true])('returns the mailboxes, asynchronously: %s', async (isAsync) => {
    const options = { lookup: isAsync ? async (address: Mailbox) => lookup(address) : lookup };
    expect(await resolve(options, 'Ann@Example.com')).toBe('known');
    expect(await resolve(options, 'ann+tag@example.com')).toBe('known');
    expect(await resolve(options, 'Sales+tag@example.com')).toEqual(['ann@example.com', 'bob@example.org']);
    expect(await resolve(options, 'eve@example.com')).toBe('unknown');
    expect(await resolve(options, 'ann@example.org')).toBe('unknown');
  });

  it('neither removes postmaster, nor adds it to other domains', async () => {
    const options = { lookup: () => undefined };
    expect(await resolve(options, 'postmaster@mx.example.com')).toBe('known');
    expect(await resolve(options, 'postmaster')).toEqual(['postmaster@mx.example.com']);
    expect(await resolve(options, 'postmaster@example.org')).toBe('unknown');
    expect(await resolve({ ...options, domains: ['example.com'] }, 'postmaster@example.com')).toBe('known');
  });

  it('is not called for other domains if domains are listed, nor for listed mailboxes', async () => {
    const asked: string[] = [];
    const options = {
      domains: ['example.com'],
      mailboxes: ['bob@example.com'],
      lookup: (address: Mailbox) => {
        asked.push(String(address));
        return null;
      },
    };
    expect(resolve(options, 'ann@example.org')).toBe('foreign');
    expect(resolve(options, 'bob@example.com')).toBe('known');
    expect(await resolve(options, 'eve+tag@example.com')).toBe('unknown');
    expect(asked).toEqual(['eve+tag@example.com', 'eve@example.com']);
  });

  it('that fails rejects, and so does an invalid answer', async () => {
    const failing = new LocalRecipients({ hostname, lookup: async () => Promise.reject(new Error('database')) });
    await expect(failing.resolve(mailbox('ann@example.com'))).rejects.toThrow('database');
    const wrong = new LocalRecipients({ hostname, lookup: () => ['no address'] });
    expect(() => wrong.resolve(mailbox('ann@example.com'))).toThrow(TypeError);
  });
});

describe('aliases', () => {
  const aliases: AliasEntry[] = [
    ['sales', ['ann', 'bob@example.org', 'team']],
    ['Team', ['Ann@example.com', 'bob']],
    ['postmaster', ['ann']],
    ['ann', ['ann', 'bob']],
    ['@catch.example', ['bob@example.com']],
    ['Help@Example.org', ['sales']],
  ];
  const options = {
    domains: ['example.com', 'example.org', 'catch.example'],
    mailboxes: ['ann@example.com', 'bob@example.com', 'bob@example.org'],
    aliases,
  };

  it.each([
    ['sales@example.com', ['ann@example.com', 'bob@example.com', 'bob@example.org']],
    ['SALES+tag@example.com', ['ann@example.com', 'bob@example.com', 'bob@example.org']],
    ['ann@example.com', ['ann@example.com', 'bob@example.com']],
    ['help@example.org', ['ann@example.com', 'bob@example.com', 'bob@example.org']],
    ['bob@example.com', 'known'],
    ['who@catch.example', ['bob@example.com']],
    ['help@example.com', 'unknown'],
    ['sales@example.net', 'foreign'],
    ['Postmaster', ['ann@example.com', 'bob@example.com']],
    ['postmaster@mx.example.com', 'known'],
  ])('expand %s to %j', (address, resolution) => {
    const found = resolve(options, address);
    expect(
      Array.isArray(found) ? (found as string[]).toSorted((one, other) => one.localeCompare(other)) : found,
    ).toEqual(resolution);
  });

  it('at other domains of the server lead back to the first', () => {
    expect(resolve({ ...options, aliases: [['info', ['ann']]] }, 'info@example.org')).toEqual(['ann@example.com']);
  });

  it.each<[string, AliasEntry[], string]>([
    [
      'a loop',
      [
        ['a', ['b']],
        ['b', ['c', 'ann']],
        ['c', ['a']],
      ],
      'a loop: a > b > c > a',
    ],
    [
      'a loop by a domain',
      [
        ['a', ['x@other.example']],
        ['@other.example', ['a@example.com']],
      ],
      'a loop',
    ],
    ['nobody', [['a', ['eve']]], 'eve@example.com is no recipient here'],
    ['itself, who is nobody', [['eve', ['eve', 'ann']]], 'eve@example.com is no recipient here'],
    ['another server', [['a', ['ann@elsewhere.example']]], 'ann@elsewhere.example is no recipient here'],
    ['no target', [['a', []]], 'expected at least one target'],
    ['a command', [['a', ['|/usr/bin/vacation']]], 'no command, file or include'],
    ['a file', [['a', ['/var/mail/a']]], 'no command, file or include'],
    ['an include', [['a', [':include:/etc/list']]], 'no command, file or include'],
    ['a name that is none', [['a b', ['ann']]], 'expected a name'],
    [
      'one name twice',
      [
        ['a', ['ann']],
        ['A', ['bob']],
      ],
      'each of them once',
    ],
    ['too many', [['a', Array.from({ length: 1001 }, (_, n) => `ann+${n}@example.com`)]], 'at most 1000 targets'],
    [
      'too far',
      Array.from({ length: 200 }, (_, n): AliasEntry => [`a${n}`, [n === 199 ? 'ann' : `a${n + 1}`]]),
      'at most 100 aliases',
    ],
  ])('with %s are an error that names them', (_, entries, message) => {
    const make = () =>
      new LocalRecipients({ hostname, mailboxes: ['ann@example.com', 'bob@example.com'], aliases: entries });
    expect(make).toThrow(AliasError);
    expect(make).toThrow(message);
  });

  it('may lead to other servers with allowForeignTargets', () => {
    const entries: AliasEntry[] = [['ann@example.com', ['Ann@elsewhere.example']]];
    expect(resolve({ aliases: entries, allowForeignTargets: true }, 'ann@example.com')).toEqual([
      'Ann@elsewhere.example',
    ]);
  });

  it('may lead to mailboxes that only the lookup knows', async () => {
    const entries: AliasEntry[] = [['postmaster@example.com', ['ann@example.com']]];
    const lookup = () => true;
    expect(await resolve({ lookup, aliases: entries }, 'postmaster@example.com')).toEqual(['ann@example.com']);
  });

  it('with many paths to one alias expand it once', () => {
    const entries = Array.from({ length: 60 }, (_, n): AliasEntry[] => [
      [`a${n}`, n === 59 ? ['ann'] : [`a${n + 1}`, `b${n + 1}`]],
      [`b${n}`, n === 59 ? ['ann'] : [`a${n + 1}`, `b${n + 1}`]],
    ]).flat();
    expect(resolve({ mailboxes: ['ann@example.com'], aliases: entries }, 'a0@example.com')).toEqual([
      'ann@example.com',
    ]);
  });

  it('set hasPostmaster', () => {
    expect(new LocalRecipients({ hostname, ...options }).hasPostmaster).toBe(true);
    expect(new LocalRecipients({ hostname, mailboxes: ['Postmaster@example.com'] }).hasPostmaster).toBe(true);
    expect(new LocalRecipients({ hostname, mailboxes: ['ann@example.com'] }).hasPostmaster).toBe(false);
  });

  it('expand to an end, for any table', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd@x.example', '@y.example', 'e@y.example');
    const target = fc.constantFrom('a', 'b', 'c', 'd@x.example', 'e@y.example', 'ann', 'ann@y.example');
    const entries = fc.uniqueArray(fc.tuple(name, fc.array(target, { minLength: 1, maxLength: 3 })), {
      selector: ([key]) => key,
    });
    fc.assert(
      fc.property(
        entries,
        fc.constantFrom('a', 'b', 'd', 'e', 'z'),
        fc.constantFrom('x.example', 'y.example'),
        (some, local, domain) => {
          let recipients: LocalRecipients;
          try {
            recipients = new LocalRecipients({
              hostname,
              mailboxes: ['ann'],
              domains: ['x.example', 'y.example'],
              aliases: some,
            });
          } catch (error) {
            expect(error).toBeInstanceOf(AliasError);
            return;
          }
          const found = recipients.resolve(new Mailbox(local, domain));
          // Each target is a mailbox, and never an alias.
          for (const { localPart } of Array.isArray(found) ? (found as Mailbox[]) : []) expect(localPart).toBe('ann');
        },
      ),
    );
  });
});
