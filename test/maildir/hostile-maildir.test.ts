import { spawnSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import * as promises from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { TemporaryFailure } from '@postern/cred';
import { type FileSystem, MaildirMailboxes, type MaildirMailboxesOptions } from '@postern/maildir';
import type { Mailbox } from '@postern/pop3';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';

let root: string;
let maildir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'postern-hostile-'));
  maildir = join(root, 'ann@x');
  for (const name of ['tmp', 'new', 'cur']) mkdirSync(join(maildir, name), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a hostile Maildir', () => {
  it('has no messages besides regular files, and waits for no FIFO', async () => {
    put('new/1.host', 'one\r\n');
    mkdirSync(join(maildir, 'new/2.folder'));
    symlinkSync('/etc/passwd', join(maildir, 'new/3.link'));
    expect(spawnSync('mkfifo', [join(maildir, 'new/4.fifo')]).status).toBe(0);
    const server = createServer().listen(join(maildir, 'new/5.socket'));
    await using mailbox = await open();
    server.close();
    expect(await contents(mailbox)).toEqual(['one\r\n']);
  });

  it.each(['new', 'cur'])('does not open a Maildir whose %s is a link to the mail of another user', async (name) => {
    put('new/1.host', 'one\r\n');
    const other = join(root, 'bob@x', name);
    mkdirSync(other, { recursive: true });
    writeFileSync(join(other, '2.host'), 'private\r\n');
    rmSync(join(maildir, name), { recursive: true });
    symlinkSync(other, join(maildir, name));
    const opening = open();
    await expect(opening).rejects.toBeInstanceOf(TemporaryFailure);
    await expect(opening).rejects.toThrow(`${name} is a symbolic link; expected a folder`);
    await expect(opening).rejects.toMatchObject({ culprit: 'operator' });
    expect(readdirSync(maildir)).not.toContain('postern-pop3.lock');
  });

  it('fails without waiting if files become FIFOs or links during the session', async () => {
    for (const n of [1, 2]) put(`new/${n}.host`, `${n}\r\n`);
    await using mailbox = await open();
    for (const n of [1, 2]) unlinkSync(join(maildir, `new/${n}.host`));
    spawnSync('mkfifo', [join(maildir, 'new/1.host')]);
    symlinkSync('/etc/passwd', join(maildir, 'new/2.host'));
    await expect(content(mailbox, 0)).rejects.toMatchObject({ code: 'ESPIPE' });
    await expect(content(mailbox, 1)).rejects.toMatchObject({ code: 'ELOOP' });
  });

  it('may have any octets in its names', async () => {
    const names = ['1.\n', '2.\xff\xfe', '3.\xc3\xbc', '4.:2,S:2,T', '5', `6.${'x'.repeat(240)}`, '7.\t'];
    for (const name of names) {
      await promises.writeFile(
        Buffer.concat([Buffer.from(`${maildir}/new/`), Buffer.from(name, 'latin1')]),
        `${encodeURI(name)}\r\n`,
        'latin1',
      );
    }
    {
      await using mailbox = await open();
      expect((await contents(mailbox)).toSorted()).toEqual(names.map((name) => `${encodeURI(name)}\r\n`).toSorted());
      for (const { uid } of mailbox.messages) expect(uid).toMatch(/^[0-9a-f]{32}$/);
      await mailbox.update([0, 1, 2, 3], [4]);
    }
    await using mailbox = await open();
    expect(mailbox.messages).toHaveLength(3);
  });

  it('with files that share their unique name lists each, with an id of its own', async () => {
    put('new/1.host,S=4', 'a\r\n');
    put('cur/1.host:2,S', 'b\r\n');
    put('new/2.host', 'c\r\n');
    linkSync(join(maildir, 'new/2.host'), join(maildir, 'cur/2.host:2,'));
    const ids = await idsOf();
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(3);
    expect(await idsOf()).toEqual(ids);
  });

  it('with an unreadable file has the other messages, and an error for this one', async () => {
    put('new/1.host', 'one\r\n');
    put('new/2.host', 'two\r\n');
    const files: FileSystem = {
      ...promises,
      open: async (path, ...rest) => {
        if (String(path).endsWith('/new/1.host')) throw Object.assign(new Error('denied'), { code: 'EACCES' });
        return await promises.open(path, ...rest);
      },
    };
    await using mailbox = await open({ files });
    expect(mailbox.messages.map(({ octets }) => octets)).toEqual([5, 5]);
    await expect(content(mailbox, 0)).rejects.toMatchObject({ code: 'EACCES' });
    expect(await content(mailbox, 1)).toBe('two\r\n');
  });

  it('removes all it can, and then rejects with the number of the others', async () => {
    for (const n of [1, 2, 3]) put(`new/${n}.host`, `${n}\r\n`);
    const failure = Object.assign(new Error('busy'), { code: 'EBUSY' });
    const unlink: FileSystem['unlink'] = (path) =>
      String(path).endsWith('/2.host') ? Promise.reject(failure) : promises.unlink(path);
    await using mailbox = await open({ files: { ...promises, unlink } });
    const update = mailbox.update([0, 1, 2], []);
    await expect(update).rejects.toThrow('1 of 3 messages were not removed');
    await expect(update).rejects.toMatchObject({ cause: failure });
    expect(readdirSync(join(maildir, 'new'))).toEqual(['2.host']);
  });

  it('is listed once more, however many messages another program has removed', async () => {
    for (let n = 10; n < 60; n += 1) put(`new/${n}.host`, `${n}\r\n`);
    let listings = 0;
    const opendir: FileSystem['opendir'] = (path, options) => {
      listings += 1;
      return promises.opendir(path, options);
    };
    await using mailbox = await open({ files: { ...promises, opendir } });
    for (let n = 10; n < 50; n += 1) unlinkSync(join(maildir, `new/${n}.host`));
    await expect(mailbox.open(0)).rejects.toThrow();
    await mailbox.update([...mailbox.messages.keys()], []);
    expect(readdirSync(join(maildir, 'new'))).toEqual([]);
    // `new` and `cur`, at the login and at the first missing file.
    expect(listings).toBe(4);
  });

  it('records the octets of removed messages in its maildirsize', async () => {
    put('new/1.host,S=5', 'one\r\n');
    put('new/2.host', 'two\n');
    put('maildirsize', '1000S\n9 2\n');
    await using mailbox = await open();
    await mailbox.update([0, 1], []);
    expect(readFileSync(join(maildir, 'maildirsize'), 'utf8')).toBe('1000S\n9 2\n-9 -2\n');
  });
});

describe('the cache of sizes', () => {
  beforeEach(async () => {
    for (let n = 1; n <= 70; n += 1) put(`new/${n}.host`, `${'x'.repeat(n)}\n`);
    await idsOf();
  });
  const sizes = Array.from({ length: 70 }, (_, index) => index + 3);

  it('is used by the next session', async () => {
    const content = readFileSync(join(maildir, 'postern-sizes'), 'latin1');
    expect(content).toMatch(/^postern-sizes 1 [0-9a-f]+\n/);
    const opened: string[] = [];
    const files: FileSystem = {
      ...promises,
      open: (path, ...rest) => {
        opened.push(String(path));
        return promises.open(path, ...rest);
      },
    };
    renameSync(join(maildir, 'new/7.host'), join(maildir, 'cur/7.host,W=1:2,S'));
    await using mailbox = await open({ files });
    expect(mailbox.messages.map(({ octets }) => octets)).toEqual(sizes);
    expect(opened.filter((path) => path.endsWith('.host'))).toEqual([]);
  });

  it.each<[string, () => void]>([
    [
      'damaged',
      () => put('postern-sizes', readFileSync(join(maildir, 'postern-sizes'), 'latin1').replace('3 2 1', '4 2 1')),
    ],
    ['cut', () => put('postern-sizes', readFileSync(join(maildir, 'postern-sizes'), 'latin1').slice(0, -9))],
    ['empty', () => put('postern-sizes', '')],
    ['a folder', () => mkdirSync(join(maildir, 'postern-sizes'))],
    ['a symbolic link', () => symlinkSync('/etc/passwd', join(maildir, 'postern-sizes'))],
    ['missing', () => {}],
  ])('costs only time if it is %s', async (name, damage) => {
    if (name !== 'damaged' && name !== 'cut') unlinkSync(join(maildir, 'postern-sizes'));
    damage();
    const errors: unknown[] = [];
    const mailbox = await open({ onError: (error) => errors.push(error) });
    expect(mailbox.messages.map(({ octets }) => octets)).toEqual(sizes);
    await mailbox[Symbol.asyncDispose]();
    expect(errors).toHaveLength(name === 'a folder' ? 1 : 0);
    expect(readdirSync(maildir)).not.toContain('postern-pop3.lock');
  });

  it.each(['-5 -5', 'x x', '1 2', '1e400 3', '0.5 0.5'])('with the sizes %s is not believed', async (wrong) => {
    const [, ...lines] = readFileSync(join(maildir, 'postern-sizes'), 'latin1').split('\n');
    const text = lines.join('\n').replace('3 2 1.host', `${wrong} 1.host`);
    put('postern-sizes', `postern-sizes 1 ${crc32(text).toString(16)}\n${text}`);
    await using mailbox = await open();
    expect(mailbox.messages.map(({ octets }) => octets)).toEqual(sizes);
  });

  it('with the size of an empty file does not slice a long file into octets', async () => {
    put('new/1.host', 'x'.repeat(10_000));
    const [, ...lines] = readFileSync(join(maildir, 'postern-sizes'), 'latin1').split('\n');
    const text = lines.join('\n').replace('3 2 1.host', '0 0 1.host');
    put('postern-sizes', `postern-sizes 1 ${crc32(text).toString(16)}\n${text}`);
    await using mailbox = await open();
    const message = await mailbox.open(0);
    expect((await message.read())?.length).toBeGreaterThanOrEqual(4_096);
    await message.close();
  });

  it('forgets a file that another program has changed in place', async () => {
    put('new/1.host', 'changed\n');
    {
      await using mailbox = await open();
      expect(mailbox.messages[0]?.octets).toBe(3);
      expect(await content(mailbox, 0)).toBe('changed\r\n');
    }
    await using mailbox = await open();
    expect(mailbox.messages[0]?.octets).toBe(9);
  });
});

describe('the ids and sizes of messages', () => {
  const line = fc.string({ maxLength: 20 }).map((text) => text.replaceAll(/[\r\n]/g, ''));
  const text = fc.array(fc.tuple(line, fc.constantFrom('\r\n', '\n', '\r', '')), { maxLength: 5 });
  const action = fc.constantFrom('deliver', 'toCur', 'flag', 'dropSize', 'remove', 'pop');

  it('belong to one content, however other programs rename and remove files', async () => {
    let number = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(action, text, fc.nat()), { maxLength: 12 }), async (actions) => {
        const known = new Map<string, string>();
        const alive = new Set<string>();
        for (const room of ['new', 'cur'])
          for (const name of readdirSync(join(maildir, room))) unlinkSync(join(maildir, room, name));
        for (const [kind, parts, pick] of actions) {
          const present = ['new', 'cur'].flatMap((room) =>
            readdirSync(join(maildir, room)).map((name) => `${room}/${name}`),
          );
          const chosen = present[pick % Math.max(1, present.length)];
          if (kind === 'deliver') {
            number += 1;
            put(`new/${number}.host,S=${pick},W=3`, `${number} ${parts.flat().join('')}`);
            alive.add(String(number));
          } else if (kind === 'pop') await pop(known, alive, pick);
          else if (chosen !== undefined) change(kind, chosen, alive);
        }
        await pop(known, alive, 0);
      }),
      { numRuns: runs(60) },
    );
  });

  /** Runs one session, which removes a message for some values of `pick`. */
  async function pop(known: Map<string, string>, alive: Set<string>, pick: number): Promise<void> {
    await using mailbox = await open(pick % 2 === 0 ? {} : { files: { ...promises } });
    const texts = await contents(mailbox);
    expect(new Set(texts.map((text) => text.split(' ')[0]))).toEqual(alive);
    for (const [index, { uid, octets }] of mailbox.messages.entries()) {
      const sent = texts[index] as string;
      expect(sent).toBe(known.get(uid) ?? sent);
      expect(sent).not.toMatch(/(?<!\r)\n/);
      expect(Buffer.byteLength(sent, 'latin1')).toBe(octets);
      known.set(uid, sent);
    }
    if (pick % 3 !== 0 || texts.length === 0) return;
    await mailbox.update([pick % texts.length], [0]);
    alive.delete(texts[pick % texts.length]?.split(' ')[0] as string);
  }
});

function change(kind: 'toCur' | 'flag' | 'dropSize' | 'remove', name: string, alive: Set<string>): void {
  const [, base = '', flags = ''] = /^(?:new|cur)\/([^:]*)(?::2,(.*))?$/.exec(name) ?? [];
  const from = join(maildir, name);
  if (kind === 'toCur') renameSync(from, join(maildir, `cur/${base}:2,${flags}`));
  if (kind === 'flag') renameSync(from, join(maildir, `cur/${base}:2,FST`));
  if (kind === 'dropSize') renameSync(from, join(maildir, `cur/${base.replace(/,W=\d+/, '')}:2,${flags}`));
  if (kind !== 'remove') return;
  unlinkSync(from);
  alive.delete(base.split('.')[0] as string);
}

function open(options?: MaildirMailboxesOptions) {
  return new MaildirMailboxes(root, options).open('ann@x');
}

async function idsOf(): Promise<readonly string[]> {
  await using mailbox = await open();
  return mailbox.messages.map(({ uid }) => uid);
}

function put(name: string, text: string): void {
  writeFileSync(join(maildir, name), text, 'latin1');
}

async function contents(mailbox: Mailbox): Promise<readonly string[]> {
  const texts: string[] = [];
  for (const index of mailbox.messages.keys()) texts.push(await content(mailbox, index));
  return texts;
}

async function content(mailbox: Mailbox, index: number): Promise<string> {
  const message = await mailbox.open(index);
  try {
    let text = '';
    for (let bytes = await message.read(); bytes !== undefined; bytes = await message.read()) {
      text += Buffer.from(bytes).toString('latin1');
    }
    return text;
  } finally {
    await message.close();
  }
}
