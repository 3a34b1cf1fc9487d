import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ANONYMOUS,
  type AvatarId,
  checker,
  culpritOf,
  LoginDenied,
  TrustedLogin,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import type { MailDirectory } from '@postern/dovecot-auth';
import { type RecipientLookup, Rejection } from '@postern/esmtp';
import { mailDirectoryContract, testMind } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { mailDirectories } from '../../packages/postern/src/mail-directory.ts';
import { OwnSenders } from '../../packages/postern/src/own-senders.ts';
import { Recipients } from '../../packages/postern/src/recipients.ts';
import type { OwnSendersSettings } from '../../packages/postern/src/recipients-settings.ts';
import { TrustedUserChecker } from '../../packages/postern/src/trusted-user-checker.ts';
import { testContract } from '../support/contract.ts';

const users = [
  { hasUser: async (name: string) => ['ann', 'bob@example.com', 'eve@example.net'].includes(name.toLowerCase()) },
];

async function directoryOf(
  avatarId: AvatarId,
  ownSenders?: OwnSendersSettings,
  directories = users,
): Promise<MailDirectory> {
  const own = ownSenders && new OwnSenders(ownSenders, { domains: ['example.com'], recipientDelimiter: '+' });
  await own?.load();
  const recipients = new Recipients(
    {
      mailboxes: ['ann', '"an n"@example.com'],
      files: [],
      users: [],
      lookup: undefined,
      domains: ['example.com'],
      aliases: { entries: [['sales', ['ann']]] },
    },
    { hostname: 'mx.example.com', recipientDelimiter: '+', isLocal: true },
  );
  await recipients.load();
  return await mailDirectories({ ownSenders: own, recipients, users: directories })(avatarId, testMind());
}

const table: OwnSendersSettings = {
  kind: 'table',
  source: {
    entries: [
      ['Ann', ['ann@example.com', 'team@example.com', '@ann.example']],
      ['bob', ['Team@Example.com', 'bob@example.net']],
    ],
  },
};

describe('recipients', () => {
  test.each([
    ['ann@example.com', true],
    ['ANN+list@example.com', true],
    ['sales@example.com', true],
    ['postmaster@example.com', true],
    ['an n@example.com', true],
    ['"an n"@example.com', true],
    ['nobody@example.com', false],
    ['x@example.net', undefined],
    ['ann', undefined],
    ['@example.com', undefined],
    ['', undefined],
    ['x@', undefined],
  ])('%s', async (recipient, exists) => {
    expect(await (await directoryOf(ANONYMOUS)).hasRecipient(recipient)).toBe(exists);
  });
});

describe('a function of recipients', () => {
  const hasRecipient = async (lookup: RecipientLookup): Promise<boolean | undefined> => {
    const recipients = new Recipients(
      { mailboxes: undefined, files: [], users: [], lookup, domains: ['example.com'], aliases: undefined },
      { hostname: 'mx.example.com', recipientDelimiter: '+', isLocal: true },
    );
    await recipients.load();
    const directory = await mailDirectories({ ownSenders: undefined, recipients, users: [] })(ANONYMOUS, testMind());
    return await directory.hasRecipient('ann@example.com');
  };
  const closed = new Rejection(550, '5.2.1', 'Mailbox disabled');

  test('that throws or rejects with a permanent Rejection refuses the recipient', async () => {
    const throwing = (): boolean => {
      throw closed;
    };
    expect(await hasRecipient(throwing)).toBe(false);
    expect(await hasRecipient(() => Promise.reject(closed))).toBe(false);
  });

  test('that rejects with a 4xx Rejection, or another error, fails temporarily', async () => {
    const later = new Rejection(450, '4.2.1', 'Try again later');
    const failure = await hasRecipient(() => Promise.reject(later)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'temporary', culprit: 'operator', cause: later });
    await expect(hasRecipient(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
  });
});

describe('senders of a user', () => {
  test.each([
    ['ann', table, 'ann@example.com', true],
    ['ann', table, 'Ann+tag@Example.com', true],
    ['ann', table, 'x@ann.example', true],
    ['ann', table, 'bob@example.com', false],
    ['ann', table, '', true],
    ['ann', table, 'garbage', false],
    ['eve', table, 'ann@example.com', false],
    ['ann', { kind: 'users' }, 'ann@example.com', true],
    ['ann', { kind: 'users' }, 'ann@example.net', false],
    ['bob@example.com', { kind: 'users' }, 'bob@example.com', true],
    ['ann', undefined, 'x@example.net', true],
    [ANONYMOUS, table, 'ann@example.com', false],
  ] as const)('%s', async (avatarId, settings, sender, mayUse) => {
    expect(await (await directoryOf(avatarId, settings)).mayUseSender(sender)).toBe(mayUse);
  });
});

describe('owners of a sender', () => {
  test.each([
    [table, 'team@example.com', ['ann', 'bob']],
    [table, 'TEAM+x@example.com', ['ann', 'bob']],
    [table, 'x@ann.example', ['ann']],
    [table, '@Ann.example', ['ann']],
    [table, '@example.com', []],
    [table, 'nobody@example.com', []],
    [{ kind: 'users' }, 'ann@example.com', ['ann']],
    [{ kind: 'users' }, 'ann+x@example.com', ['ann']],
    [{ kind: 'users' }, 'bob@example.com', ['bob@example.com']],
    [{ kind: 'users' }, 'eve@example.net', ['eve@example.net']],
    [{ kind: 'users' }, 'stranger@example.net', []],
    [undefined, 'ann@example.com', []],
  ] as const)('%j %s', async (settings, sender, owners) => {
    expect(await (await directoryOf(ANONYMOUS, settings)).ownersOf(sender)).toEqual(owners);
  });

  test('without a user directory only addresses at own domains have owners', async () => {
    const directory = await directoryOf(ANONYMOUS, { kind: 'users' }, []);
    expect(await directory.ownersOf('joe@example.com')).toEqual(['joe@example.com', 'joe']);
    expect(await directory.ownersOf('joe@example.net')).toEqual([]);
  });

  test('a function of users has no owners to return', async () => {
    const directory = await directoryOf(ANONYMOUS, { kind: 'lookup', lookup: () => [] });
    let failure: unknown;
    try {
      await directory.ownersOf('joe@example.com');
    } catch (error) {
      failure = error;
    }
    expect(failure).toMatchObject({ message: expect.stringContaining('expected users or a table') });
    expect(culpritOf(failure)).toBe('operator');
  });

  test('a user owns each address that the directory lists it for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'postern-own-'));
    try {
      const file = join(folder, 'own');
      await writeFile(file, 'ann: ann@example.com, @ann.example\n');
      const directory = await directoryOf(ANONYMOUS, { kind: 'table', source: { file } });
      expect(await directory.ownersOf('y@ann.example')).toEqual(['ann']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('the contract of mail directories', () => {
  const inputs = {
    username: 'ann',
    ownSender: 'ann@example.com',
    recipient: 'ann@example.com',
    unknownRecipient: 'nobody@example.com',
    foreignRecipient: 'x@example.net',
  };

  describe('with a table of senders', () => {
    const make = async () => ({
      user: await directoryOf('ann', table),
      anonymous: await directoryOf(ANONYMOUS, table),
    });
    testContract(mailDirectoryContract({ ...inputs, otherSender: 'bob@example.net', make }), [
      'fails, and refuses nothing, while its data cannot be read',
    ]);
  });

  describe('with the users of a database', () => {
    const make = async () => {
      let isDown = false;
      const database = [
        {
          hasUser: (name: string) =>
            isDown ? Promise.reject(new Error('down')) : Promise.resolve(['ann', 'bob'].includes(name.toLowerCase())),
        },
      ];
      const own = { kind: 'users' } as const;
      return {
        user: await directoryOf('ann', own, database),
        anonymous: await directoryOf(ANONYMOUS, own, database),
        fail: () => {
          isDown = true;
        },
      };
    };
    testContract(mailDirectoryContract({ ...inputs, otherSender: 'bob@example.com', make, fails: true }));
  });
});

describe('users that a mail server vouches for', () => {
  const directory = Object.assign(
    checker([UsernamePassword], () => 'x'),
    {
      hasUser: (name: string) => {
        if (name === 'closed') throw new LoginDenied('disabled');
        return name === 'ann';
      },
    },
  );

  test('a user of a directory is recognised, and a removed user refused', async () => {
    const trusted = new TrustedUserChecker([directory]);
    expect(await trusted.requestAvatarId(new TrustedLogin('ann'), testMind())).toBe('ann');
    await expect(trusted.requestAvatarId(new TrustedLogin('gone'), testMind())).rejects.toThrow(UnauthorizedLogin);
    await expect(trusted.requestAvatarId(new TrustedLogin('closed'), testMind())).rejects.toThrow(LoginDenied);
  });

  test('with a checker that knows no users, each user is recognised', async () => {
    const trusted = new TrustedUserChecker([directory, checker([UsernamePassword], () => 'x')]);
    expect(await trusted.requestAvatarId(new TrustedLogin('other'), testMind())).toBe('other');
  });
});
