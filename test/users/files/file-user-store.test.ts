import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { PasswordProof, UsernamePassword } from '@postern/cred';
import { ScramSha256Credentials } from '@postern/sasl';
import { FakeClock, type UserStoreContract, userStoreContract } from '@postern/testing';
import { FileUserStore, type FileUserStoreOptions, UserFileError } from '@postern/users';
import { describe, expect, test } from 'vitest';
import { fileVersion, readSnapshot, snapshotOf } from '../../../packages/users/src/files/file-snapshot.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const SIGNAL = new AbortController().signal;
const BCRYPT = '$2y$05$vCpR1lx6nIu3cYJSNbZfguqOSgmN.sZ0hDTYkvTp0vvPEfUfBCo1K';
const SCRAM =
  '{SCRAM-SHA-256}4096,MDEyMzQ1Njc4OWFiY2RlZg==,MiuIWMPE8f1wvUs8gqR/HUOBiaxP2InTIltSNS8murY=,UKlEJeK+9JbWnqN1OJJFASpGl2gC6h5m1W8s9eH3q3Q=';
const DAY = 86_400_000;

describe.each(['htpasswd', 'passwd-file', 'shadow'] as const)('the contract of user stores, %s', (format) => {
  const rest = format === 'shadow' ? ':20000:0:99999:7:::' : '';
  const contract: UserStoreContract = {
    keeps: [],
    hasInterfaces: true,
    async make(users) {
      const folder = temporaryFolder('users');
      const path = join(folder.path, 'users');
      writeFileSync(
        path,
        users.map(({ name, secrets: [secret = '!'] }) => `${name}:${withoutColons(secret)}${rest}\n`).join(''),
      );
      const store = await FileUserStore.open(path, { format });
      return { store, dispose: () => folder[Symbol.dispose]() };
    },
  };
  // The skipped rules are about parts of a record that no file has, and about edits.
  const cases = userStoreContract(contract).filter(({ skipped }) => skipped === undefined);
  for (const { name, run } of cases) test(name, run);
  test('has rules', () => expect(cases.length).toBeGreaterThan(8));
});

test('a user is found by each spelling of the name, as an operator types it', async () => {
  const opened = await openStore(`Jürgen:${BCRYPT}\n`);
  expect(await opened.names('Jürgen', 'jürgen', 'JU\u0308RGEN')).toEqual(['Jürgen', 'Jürgen', 'Jürgen']);
});

/** Returns a SCRAM record in Dovecot's spelling, which fits into a field between colons. */
function withoutColons(secret: string): string {
  return secret.replace(/^(SCRAM-SHA-\d+)\$(\d+):(.*)\$(.*):(.*)$/, '{$1}$2,$3,$4,$5');
}

/** A store over a file that the test changes, with the errors that the store has reported. */
async function openStore(content: string | Uint8Array, options: FileUserStoreOptions = {}) {
  const folder = temporaryFolder('users');
  const path = join(folder.path, 'users');
  writeFileSync(path, content);
  const clock = new FakeClock();
  const errors: UserFileError[] = [];
  const store = await FileUserStore.open(path, { clock, onError: (error) => errors.push(error), ...options });
  return {
    store,
    path,
    clock,
    /** The messages of the errors, without the path. */
    reported: () => errors.map(({ message }) => message.replace(path, 'FILE')),
    /** Finds users after the interval of the checks. Returns the names that exist. */
    async names(...names: string[]) {
      await clock.advance(1_000);
      const found = await Promise.all(names.map(async (name) => store.find(name, SIGNAL)));
      return found.map((user) => user?.name);
    },
    /** Replaces the file as careful programs do. */
    replace(text: string | Uint8Array) {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

describe('a changed file', () => {
  test('a renamed file is read at the next look-up', async () => {
    using opened = await openStore(`joe:${BCRYPT}\n`);
    opened.replace(`ann:${BCRYPT}\n`);
    expect(await opened.names('joe', 'ann')).toEqual([undefined, 'ann']);
    expect(opened.store.size).toBe(1);
    expect(opened.reported()).toEqual([]);
  });

  test('an edit in place is read, also of the same size and time', async () => {
    using opened = await openStore(`joe:${BCRYPT}\n`);
    writeFileSync(opened.path, `ann:${BCRYPT}\n`);
    expect(await opened.names('joe', 'ann')).toEqual([undefined, 'ann']);
    utimesSync(opened.path, 1, 1);
    expect(await opened.names('joe', 'ann')).toEqual([undefined, 'ann']);
    writeFileSync(opened.path, `tim:${BCRYPT}\n`);
    utimesSync(opened.path, 1, 1);
    expect(await opened.names('ann', 'tim')).toEqual([undefined, 'tim']);
  });

  test('another target of a symbolic link is read', async () => {
    using folder = temporaryFolder('users');
    const [link, first, second] = ['link', '1', '2'].map((name) => join(folder.path, name)) as [string, string, string];
    writeFileSync(first, `joe:${BCRYPT}\n`);
    writeFileSync(second, `ann:${BCRYPT}\n`);
    symlinkSync(first, link);
    const clock = new FakeClock();
    const store = await FileUserStore.open(link, { clock });
    symlinkSync(second, `${link}.new`);
    renameSync(`${link}.new`, link);
    await clock.advance(1_000);
    expect(await store.find('ann', SIGNAL)).toMatchObject({ name: 'ann' });
  });

  test('is not looked for within a second', async () => {
    using opened = await openStore(`joe:${BCRYPT}\n`);
    opened.replace(`ann:${BCRYPT}\n`);
    await opened.clock.advance(999);
    expect(opened.store.find('joe', SIGNAL)).toMatchObject({ name: 'joe' });
    expect(await opened.names('joe')).toEqual([undefined]);
  });

  test('a large file shows its format, wherever its beginning is cut', async () => {
    const line = `:${BCRYPT}:20000:0:99999:7:::\n`;
    const text = Array.from({ length: 4_000 }, (_, index) => `user${index}${line}`).join('');
    expect(text.length).toBeGreaterThan(2 ** 18);
    for (const shift of ['', 'x'.repeat(15), 'x'.repeat(75)]) {
      using opened = await openStore(`${shift}${text}`);
      expect(opened.store.size).toBe(4_000);
      expect(opened.reported()).toEqual([]);
    }
  });

  test('may have another format', async () => {
    using opened = await openStore(`joe:${BCRYPT}\n`);
    opened.replace(`joe:${BCRYPT}:1:0:99999:7::1:\n`);
    expect(await opened.names('joe')).toEqual(['joe']);
    expect(await opened.store.find('joe', SIGNAL)).toMatchObject({ expires: new Date(DAY) });
  });

  test('reload() reads it at once', async () => {
    using opened = await openStore(`joe:${BCRYPT}\n`);
    opened.replace(`ann:${BCRYPT}\n`);
    await opened.store.reload();
    expect(opened.store.find('ann', SIGNAL)).toMatchObject({ name: 'ann' });
  });

  test('look-ups under a stream of renames see whole versions only', async () => {
    const version = (name: string) => Array.from({ length: 500 }, (_, index) => `${name}${index}:${BCRYPT}\n`).join('');
    using opened = await openStore(version('a'));
    for (let round = 1; round <= 20; round++) {
      const name = round % 2 === 0 ? 'a' : 'b';
      await opened.clock.advance(1_000);
      const before = opened.store.find('a0', SIGNAL);
      opened.replace(version(name));
      await before;
      await opened.clock.advance(1_000);
      const found = await Promise.all(
        ['a0', 'a499', 'b0', 'b499'].map(async (user) => opened.store.find(user, SIGNAL)),
      );
      const present = found.map((user) => user !== undefined);
      expect(present).toEqual(name === 'a' ? [true, true, false, false] : [false, false, true, true]);
    }
    expect(opened.reported()).toEqual([]);
  });
});

describe('a bad version leaves the users as they are, and is reported once', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['two users of one name', `ann:${BCRYPT}\nJoe:${BCRYPT}\njoe:${BCRYPT}\n`, 'FILE:3: "joe" is on line 2 also'],
    ['a last line that is cut off', `ann:${BCRYPT}\nsue:$2y$05$vCpR1`, 'FILE:2: the line has no line end'],
    ['octets that are no UTF-8', Buffer.from('j\u00f6e:x\n', 'latin1'), 'FILE:1: the line is not UTF-8'],
    ['NULs', Buffer.alloc(100), 'FILE:1: the line has no line end'],
    ['an empty file', '', 'FILE is empty'],
    ['a file of another kind', '-----BEGIN CERTIFICATE-----\nMIIB\n', 'FILE:1: the line has no ":"'],
    ['shadow lines beside others', 'ann:*:1:0:9:7:::\nsue:$6$x\n', 'FILE mixes formats'],
  ])('%s', async (_, content, message) => {
    using opened = await openStore(`joe:${BCRYPT}\n`);
    opened.replace(content);
    expect(await opened.names('joe', 'ann')).toEqual(['joe', undefined]);
    expect(await opened.names('joe', 'ann')).toEqual(['joe', undefined]);
    expect(opened.reported()).toEqual([expect.stringMatching(`^${message}`)]);
    await expect(opened.store.reload()).rejects.toThrow(UserFileError);
    opened.replace(`ann:${BCRYPT}\n`);
    expect(await opened.names('joe', 'ann')).toEqual([undefined, 'ann']);
    expect(opened.reported()).toHaveLength(1);
  });

  test('a missing file', async () => {
    using opened = await openStore(`joe:${BCRYPT}\n`);
    rmSync(opened.path);
    expect(await opened.names('joe')).toEqual(['joe']);
    expect(opened.reported()).toEqual(['FILE: the user file cannot be read: ENOENT']);
    opened.replace(`ann:${BCRYPT}\n`);
    expect(await opened.names('joe', 'ann')).toEqual([undefined, 'ann']);
  });

  test('a file larger than maxOctets', async () => {
    using opened = await openStore(`joe:${BCRYPT}\n`, { maxOctets: 100 });
    appendFileSync(opened.path, `ann:${BCRYPT}\n`);
    expect(await opened.names('joe', 'ann')).toEqual(['joe', undefined]);
    expect(opened.reported()).toEqual(['FILE has 130 octets; expected at most 100']);
  });

  test('a listener that throws does not fail the look-up', async () => {
    using opened = await openStore(`joe:${BCRYPT}\n`, {
      onError: () => {
        throw new Error('the listener is broken');
      },
    });
    rmSync(opened.path);
    expect(await opened.names('joe')).toEqual(['joe']);
  });
});

describe('a file that cannot be opened', () => {
  test.each<[string, (path: string) => void, string]>([
    ['a missing file', () => {}, ': the user file cannot be read: ENOENT'],
    ['a directory', (path) => mkdirSync(path), ' is a directory; expected a regular file'],
    ['a FIFO', (path) => execFileSync('mkfifo', [path]), ' is a FIFO; expected a regular file'],
    ['a device', (path) => symlinkSync('/dev/null', path), ' is a device; expected a regular file'],
    ['a link to itself', (path) => symlinkSync(path, path), ': the user file cannot be read: ELOOP'],
    ['two users of one name', (path) => writeFileSync(path, 'joe:x\njoe:x\n'), ':2: "joe" is on line 1 also'],
  ])('%s', async (_, make, message) => {
    using folder = temporaryFolder('users');
    const path = join(folder.path, 'users');
    make(path);
    const error = await FileUserStore.open(path).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserFileError);
    expect(error).toMatchObject({ code: 'bad-user-file', path, message: expect.stringContaining(`${path}${message}`) });
  });

  test('a socket', async () => {
    using folder = temporaryFolder('users');
    const path = join(folder.path, 'users');
    await using server = createServer();
    await new Promise<void>((resolve) => server.listen(path, resolve));
    await expect(FileUserStore.open(path)).rejects.toThrow(`${path}: the user file cannot be read: ENXIO`);
  });

  test('an empty file has no users', async () => {
    using opened = await openStore('');
    expect(await opened.names('joe')).toEqual([undefined]);
    expect(opened.store.credentialInterfaces).toEqual([UsernamePassword]);
  });
});

describe('a user that cannot log in', () => {
  test('a refused line makes its look-ups fail, and not those of others', async () => {
    using opened = await openStore(`joe:{PLAIN}x::::::allow_nets=192.0.2.1\nann:{PLAIN}x\n`);
    expect(() => opened.store.find('JOE', SIGNAL)).toThrow(/:1: "joe" has allow_nets, which limits the networks/);
    expect(opened.store.find('ann', SIGNAL)).toMatchObject({ name: 'ann' });
    expect(opened.reported()).toEqual([
      'FILE:1: "joe" has allow_nets, which limits the networks of the client; this is not checked here; ' +
        'such users cannot log in',
    ]);
  });

  test('a secret that cannot be compared stays, for the checker to fail on', async () => {
    using opened = await openStore('joe:$2y$05$short\nann:s3cret\n', { format: 'htpasswd' });
    expect(opened.store.find('joe', SIGNAL)).toEqual({ name: 'joe', secrets: ['$2y$05$short'] });
    expect(opened.reported()).toEqual([
      expect.stringMatching(/^FILE:1: "joe" has an unusable password: .*, and 1 more such lines; such users cannot/),
    ]);
    expect(opened.reported()[0]).not.toContain('s3cret');
  });

  test('a fault that returns is reported again', async () => {
    using opened = await openStore(`joe:${BCRYPT}\n`);
    for (let time = 0; time < 2; time += 1) {
      renameSync(opened.path, `${opened.path}.away`);
      expect(await opened.names('joe')).toEqual(['joe']);
      renameSync(`${opened.path}.away`, opened.path);
      expect(await opened.names('joe')).toEqual(['joe']);
    }
    expect(opened.reported()).toEqual(Array(2).fill('FILE: the user file cannot be read: ENOENT'));
  });

  test('an unchanged fault is reported once, also after a time without the file', async () => {
    using opened = await openStore('joe:$2y$05$short\n');
    renameSync(opened.path, `${opened.path}.away`);
    await opened.names('joe');
    renameSync(`${opened.path}.away`, opened.path);
    await opened.names('joe');
    await opened.names('joe');
    expect(opened.reported()).toEqual([
      expect.stringContaining('an unusable password'),
      'FILE: the user file cannot be read: ENOENT',
    ]);
  });

  test('an unchanged fault is reported once', async () => {
    using opened = await openStore('joe:$2y$05$short\n');
    await opened.store.reload();
    expect(opened.reported()).toHaveLength(1);
  });
});

test('a password expires while the file stays loaded', async () => {
  let time = 20_787 * DAY;
  using opened = await openStore(`joe:${BCRYPT}:20780:0:7:7:::\n`, { now: () => time });
  expect(opened.store.find('joe', SIGNAL)).toEqual({ name: 'joe', secrets: [BCRYPT] });
  time += DAY;
  expect(opened.store.find('joe', SIGNAL)).toMatchObject({ mustChangePassword: true });
});

test('list() returns the users in the order of the file', async () => {
  using opened = await openStore(`tim:{PLAIN}x::::::\nJoe:{PLAIN}x\nann:{PLAIN}x::::::allow_nets=::1\neve:\n`);
  const names: string[] = [];
  for await (const { name } of opened.store.list()) names.push(name);
  expect(names).toEqual(['tim', 'Joe', 'eve']);
});

test('credentialInterfaces follow the file', async () => {
  using opened = await openStore(`joe:${SCRAM}\nann:${SCRAM}\ntim:!\n`);
  const before = opened.store.credentialInterfaces;
  expect(before).toEqual([UsernamePassword, ScramSha256Credentials]);
  await opened.store.reload();
  expect(opened.store.credentialInterfaces).toBe(before);
  opened.replace(`joe:${SCRAM}\nann:${BCRYPT}\n`);
  await opened.names('joe');
  expect(opened.store.credentialInterfaces).toEqual([UsernamePassword]);
  opened.replace('joe:{PLAIN}x\n');
  await opened.names('joe');
  expect(opened.store.credentialInterfaces).toEqual([PasswordProof]);
});

describe('a snapshot', () => {
  async function withFile(run: (file: FileHandle, path: string) => Promise<void>): Promise<void> {
    using folder = temporaryFolder('users');
    const path = join(folder.path, 'users');
    writeFileSync(path, 'joe:x\n');
    await using file = await open(path, 'r');
    await run(file, path);
  }

  test('has a version that is the file’s, once the file is older than two seconds', async () => {
    await withFile(async (_, path) => {
      utimesSync(path, 1_000, 1_000);
      const { version } = await readSnapshot(path, 100, () => 1_002_000);
      expect(version).toBe(await fileVersion(path));
      expect((await readSnapshot(path, 100, () => 1_001_999)).version).toBeUndefined();
    });
  });

  test.each<[string, (path: string) => void]>([
    ['grows', (path) => appendFileSync(path, 'ann:x\n')],
    ['shrinks', (path) => truncateSync(path, 2)],
    ['is rewritten', (path) => writeFileSync(path, 'ann:x\n')],
  ])('rejects if the file %s meanwhile', async (_, change) => {
    await withFile(async (file, path) => {
      const changing = {
        stat: file.stat.bind(file),
        read: (...parameters: Parameters<FileHandle['read']>) => {
          utimesSync(path, 1, 1);
          change(path);
          return file.read(...parameters);
        },
      } as unknown as Pick<FileHandle, 'stat' | 'read'>;
      await expect(snapshotOf(changing, 100, Date.now)).rejects.toThrow('changes while it is read');
    });
  });
});
