import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  lstatSync,
  lutimesSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import * as promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type FileSystem, MaildirMailboxes, type MaildirMailboxesOptions } from '@postern/maildir';
import { type Mailbox, MailboxInUse } from '@postern/pop3';
import { FakeClock } from '@postern/testing';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

let root: string;
let maildir: string;
let lockFile: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'postern-lock-'));
  maildir = join(root, 'ann@x');
  for (const name of ['tmp', 'new', 'cur']) mkdirSync(join(maildir, name), { recursive: true });
  lockFile = join(maildir, 'postern-pop3.lock');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe.each(['symbolic link', 'file'] as const)('the lock of a mailbox, as a %s', (kind) => {
  beforeEach(() => {
    form = kind;
  });

  it('excludes another process, and is taken over as soon as that process is killed', async () => {
    const { child, said } = holder();
    expect(await said).toBe('locked');
    await expect(open()).rejects.toThrow(MailboxInUse);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(readLock(lockFile)).toMatch(new RegExp(`^${child.pid}[.]`));
    await using _mailbox = await open();
    expect(readLock(lockFile)).toMatch(new RegExp(`^${process.pid}[.]`));
    expect(readdirSync(maildir).toSorted()).toEqual(['cur', 'new', 'postern-pop3.lock', 'tmp']);
    expect(readdirSync(join(maildir, 'tmp'))).toEqual([]);
  });

  it('is won by one of many that take it over at the same time', async () => {
    for (let round = 0; round < 20; round += 1) {
      await leaveStaleLock();
      const opened = await Promise.allSettled(Array.from({ length: 8 }, () => open()));
      const won = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(won).toHaveLength(1);
      for (const result of opened) if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(MailboxInUse);
      await expect(open()).rejects.toThrow(MailboxInUse);
      await close(won[0]);
      expect(readdirSync(maildir).toSorted()).toEqual(['cur', 'new', 'tmp']);
    }
  });

  it.each<[string, Partial<Owner>]>([
    ['a process that started later with the same pid', { started: '1' }],
    ['a process that has ended', { pid: ENDED }],
  ])('of %s is taken over', async (_name, change) => {
    await leaveStaleLock(change);
    await close(await open());
  });

  it.skipIf(process.platform !== 'linux')('of an earlier boot of this machine is taken over (Linux)', async () => {
    const { machine } = await leaveStaleLock({ boot: '1'.repeat(8) });
    if (machine === '') await expect(open()).rejects.toThrow(MailboxInUse);
    else await close(await open());
  });

  it('of another machine holds for three minutes after its last refresh', async () => {
    await leaveStaleLock({ boot: '1'.repeat(8), machine: '2'.repeat(8) });
    await expect(open()).rejects.toThrow(MailboxInUse);
    age(179);
    await expect(open()).rejects.toThrow(MailboxInUse);
    age(190);
    await close(await open());
  });

  it.each([
    ['no owner', 'root 17'],
    ['no process', '0.1.12345678...0123456789abcdef'],
    ['no usable nonce', '1.1.12345678...../../../x'],
    ['torn', '1.1.12345678...0123456789abcde'],
    ['huge', 'x'.repeat(4_000)],
  ])('that is damaged (%s) holds for three minutes', async (_name, text) => {
    writeLock(lockFile, text);
    await expect(open()).rejects.toThrow(MailboxInUse);
    age(190);
    await close(await open());
    expect(readdirSync(maildir).toSorted()).toEqual(['cur', 'new', 'tmp']);
  });

  it('that is a link to another file is not followed', async () => {
    const target = join(root, 'target');
    writeFileSync(target, format({ ...(await ownLock()), pid: ENDED }));
    const content = readFileSync(target, 'utf8');
    symlinkSync(target, lockFile);
    await expect(open()).rejects.toThrow(MailboxInUse);
    age(190);
    await close(await open());
    expect(readFileSync(target, 'utf8')).toBe(content);
    expect(readdirSync(maildir).toSorted()).toEqual(['cur', 'new', 'tmp']);
  });

  it('is taken over after a takeover that was killed in its middle', async () => {
    const first = await leaveStaleLock();
    const second = { ...first, nonce: 'b'.repeat(16) };
    writeLock(`${lockFile}.${first.nonce}`, format(second));
    const opened = await Promise.allSettled([open(), open(), open()]);
    const won = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(won).toHaveLength(1);
    await close(won[0]);
    expect(readdirSync(maildir).toSorted()).toEqual(['cur', 'new', 'tmp']);
  });

  it('belongs to a running takeover', async () => {
    const own = await ownLock();
    const first = await leaveStaleLock();
    writeLock(`${lockFile}.${first.nonce}`, format({ ...own, nonce: 'c'.repeat(16) }));
    await expect(open()).rejects.toThrow(MailboxInUse);
  });

  it('is refreshed by one timer, which does not outlive the last session', async () => {
    const clock = new FakeClock();
    const refreshed = Promise.withResolvers<void>();
    const files: FileSystem = {
      ...filesOfForm(),
      lutimes: async (path, atime, mtime) => {
        await promises.lutimes(path, atime, mtime);
        if (path === lockFile) refreshed.resolve();
      },
    };
    const mailboxes = new MaildirMailboxes(root, { clock, files });
    const ann = await mailboxes.open('ann@x');
    const bob = await mailboxes.open('bob@x');
    age(100);
    await clock.advance(30_000);
    await refreshed.promise;
    expect(Date.now() - lstatSync(lockFile).mtimeMs).toBeLessThan(60_000);
    await close(ann);
    await close(bob);
    expect(readdirSync(maildir).toSorted()).toEqual(['cur', 'new', 'tmp']);
  });

  it('that another process has taken over protects the messages from an update', async () => {
    writeFileSync(join(maildir, 'new/1.host'), 'one\r\n');
    const mailbox = await open();
    const taken = format({ ...(await ownLock('bob@x')), nonce: 'd'.repeat(16) });
    rmSync(lockFile);
    writeLock(lockFile, taken);
    await expect(mailbox.update([0], [])).rejects.toThrow(/taken/);
    await close(mailbox);
    expect(readdirSync(join(maildir, 'new'))).toEqual(['1.host']);
    expect(readLock(lockFile)).toBe(taken);
  });

  it.each(['EMFILE', 'EIO'])('is released by the next login after a release that failed with %s', async (code) => {
    const { files, state } = failingFiles(code);
    const mailboxes = new MaildirMailboxes(root, { files });
    const mailbox = await mailboxes.open('ann@x');
    state.fails = true;
    await expect(close(mailbox)).rejects.toThrow(code);
    await expect(mailboxes.open('ann@x')).rejects.toMatchObject({ code: 'temporary', culprit: 'operator' });
    state.fails = false;
    const opened = await Promise.allSettled([mailboxes.open('ann@x'), mailboxes.open('ann@x')]);
    const won = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    expect(won).toHaveLength(1);
    expect(opened.find(({ status }) => status === 'rejected')).toMatchObject({ reason: expect.any(MailboxInUse) });
    await close(won[0]);
    expect(readdirSync(maildir).toSorted()).toEqual(['cur', 'new', 'tmp']);
  });

  it('is released by the timer of the refreshes after a release that failed', async () => {
    const clock = new FakeClock();
    const unlinked = Promise.withResolvers<void>();
    const { files, state } = failingFiles('EIO', unlinked.resolve);
    const errors: unknown[] = [];
    const mailboxes = new MaildirMailboxes(root, { clock, files, onError: (error) => errors.push(error) });
    const mailbox = await mailboxes.open('ann@x');
    state.fails = true;
    await expect(close(mailbox)).rejects.toThrow('EIO');
    state.fails = false;
    await clock.advance(30_000);
    await unlinked.promise;
    await close(await open());
    expect(errors).toEqual([]);
    expect(readdirSync(maildir).toSorted()).toEqual(['cur', 'new', 'tmp']);
  });

  it('excludes no login after a takeover that failed in its middle', async () => {
    for (const broken of ['rename', 'unlink'] as const) {
      await leaveStaleLock();
      let isBroken = true;
      const fails = async (...args: [string, string]) => {
        if (isBroken && String(args[0]).includes(broken === 'rename' ? '/tmp/' : '.lock.')) throw failure('EIO');
        await (broken === 'rename' ? promises.rename(...args) : promises.unlink(args[0]));
      };
      const errors: unknown[] = [];
      const onError = (error: unknown) => errors.push(error);
      const mailboxes = new MaildirMailboxes(root, { files: { ...filesOfForm(), [broken]: fails }, onError });
      await expect(mailboxes.open('ann@x')).rejects.toThrow('EIO');
      isBroken = false;
      await close(await mailboxes.open('ann@x'));
      expect(readdirSync(maildir).toSorted()).toEqual(['cur', 'new', 'tmp']);
    }
  });

  it.each(['EROFS', 'EACCES', 'ENOSPC'])(
    'that fails with %s is a failure of the operator, with its path',
    async (code) => {
      const fail = () => Promise.reject(failure(code));
      const opening = open({ files: { ...filesOfForm(), [kind === 'file' ? 'link' : 'symlink']: fail } });
      await expect(opening).rejects.toMatchObject({ code: 'temporary', culprit: 'operator' });
      await expect(opening).rejects.toThrow(`cannot open the Maildir ${maildir}: ${code}`);
      expect(readdirSync(join(maildir, 'tmp'))).toEqual([]);
    },
  );
});

describe('the lock of a mailbox', () => {
  beforeEach(() => {
    form = 'symbolic link';
  });

  it('fits into an inode of ext4: 59 octets', async () => {
    await using _mailbox = await open();
    expect(readlinkSync(lockFile)).toMatch(/^[\w.-]{1,59}$/);
  });

  it('that is an empty file holds for three minutes', async () => {
    writeFileSync(lockFile, '');
    await expect(open()).rejects.toThrow(MailboxInUse);
    age(190);
    await close(await open());
  });

  it('has the permissions of the options if it is a file', async () => {
    form = 'file';
    await using _mailbox = await open({ mode: 0o640 });
    expect(statSync(lockFile).mode & 0o777).toBe(0o640);
  });

  it('works without symbolic and hard links', async () => {
    const unsupported = () => Promise.reject(failure('EPERM'));
    await using _mailbox = await open({ files: { ...promises, symlink: unsupported, link: unsupported } });
    await expect(open()).rejects.toThrow(MailboxInUse);
    expect(readdirSync(join(maildir, 'tmp'))).toEqual([]);
  });

  it('of one form excludes the other form', async () => {
    await using _mailbox = await open();
    form = 'file';
    await expect(open()).rejects.toThrow(MailboxInUse);
  });

  it('of a file system with the wrong time is refreshed by its time', async () => {
    const clock = new FakeClock();
    const refreshed = Promise.withResolvers<Date>();
    const late = new Date(Date.now() - 3_600_000);
    const files: FileSystem = {
      ...promises,
      lstat: (async (path: string) => Object.assign(await promises.lstat(path), { mtime: late })) as never,
      lutimes: async (_path, _atime, mtime) => refreshed.resolve(mtime as Date),
    };
    await using _mailbox = await new MaildirMailboxes(root, { clock, files }).open('ann@x');
    await clock.advance(30_000);
    expect(await refreshed.promise).toBe(late);
  });
});

/** The form of the locks that {@link open} and {@link writeLock} create. */
let form: 'symbolic link' | 'file';

function open(options?: MaildirMailboxesOptions) {
  return new MaildirMailboxes(root, { ...formOptions(), ...options }).open('ann@x');
}

/** The system's own file system has a fast path, which the links take. */
function formOptions(): MaildirMailboxesOptions {
  return form === 'file' ? { files: filesOfForm() } : {};
}

function filesOfForm(): FileSystem {
  return form === 'file' ? { ...promises, symlink: () => Promise.reject(failure('EPERM')) } : { ...promises };
}

async function close(mailbox: (Mailbox & AsyncDisposable) | undefined): Promise<void> {
  await mailbox?.[Symbol.asyncDispose]();
}

interface Owner {
  readonly pid: number;
  readonly started: string;
  readonly boot: string;
  readonly namespace: string;
  readonly machine: string;
  readonly nonce: string;
}

/** Returns the owner of a lock of this process. */
async function ownLock(address = 'cyd@x'): Promise<Owner> {
  await using _mailbox = await new MaildirMailboxes(root).open(address);
  const text = readLock(join(root, address, 'postern-pop3.lock'));
  const [pid = '', started = '', boot = '', namespace = '', machine = '', nonce = ''] = text.split('.');
  return { pid: Number(pid), started, boot, namespace, machine, nonce };
}

function format({ pid, started, boot, namespace, machine, nonce }: Owner): string {
  return [pid, started, boot, namespace, machine, nonce].join('.');
}

/** Writes the lock of a process that has ended, or of another owner. */
async function leaveStaleLock(change: Partial<Owner> = { pid: ENDED }): Promise<Owner> {
  const owner = { ...(await ownLock()), ...change };
  writeLock(lockFile, format(owner));
  return owner;
}

function failure(code: string): Error {
  return Object.assign(new Error(`${code}: the file system fails`), { code });
}

/** Returns a file system whose calls for the lock file fail on demand. */
function failingFiles(code: string, onUnlink = () => {}) {
  const state = { fails: false };
  const files: FileSystem = {
    ...filesOfForm(),
    readlink: (async (path: string) => {
      if (state.fails && code === 'EMFILE') throw failure(code);
      return await promises.readlink(path);
    }) as never,
    open: async (...args) => {
      if (state.fails && code === 'EMFILE' && args[0] === lockFile) throw failure(code);
      return await promises.open(...args);
    },
    unlink: async (path) => {
      if (state.fails && path === lockFile) throw failure(code);
      await promises.unlink(path);
      if (path === lockFile) onUnlink();
    },
  };
  return { files, state };
}

function writeLock(path: string, text: string): void {
  if (form === 'file') writeFileSync(path, `${text}\n`);
  else symlinkSync(text, path);
}

function readLock(path: string): string {
  return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : readFileSync(path, 'utf8').trimEnd();
}

function age(seconds: number): void {
  const time = Date.now() / 1000 - seconds;
  lutimesSync(lockFile, time, time);
}

/** Starts a process that locks the mailbox and waits. */
function holder(): { child: ChildProcess; said: Promise<string> } {
  const script = `
    import { MaildirMailboxes } from '@postern/maildir';
    globalThis.mailbox = await new MaildirMailboxes(${JSON.stringify(root)}).open('ann@x');
    console.log('locked');
    setInterval(() => {}, 1000);
  `;
  // Built packages: Node 22 does not know `using`.
  const args = ['--input-type=module', '-e', script];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = once(child.stdout, 'data').then(([chunk]) => String(chunk).trim());
  return { child, said };
}

/** No process has this pid: it is above the greatest one of Linux. */
const ENDED = 2 ** 22 + 1;
