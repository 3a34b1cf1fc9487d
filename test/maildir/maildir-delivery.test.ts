import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import * as promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type Envelope, Mailbox, type Message, Rejection } from '@postern/esmtp';
import { type FileSystem, MaildirDelivery } from '@postern/maildir';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { runs } from '../support/fuzz.ts';
import { resultsOf } from '../support/results.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'postern-maildir-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const hello = Buffer.from('Received: from x\r\nSubject: hello\r\n\r\nbody\r\n');

describe('a message delivered into a Maildir', () => {
  it('22: lies in new, after its Return-Path field, and nowhere else', async () => {
    await deliver(new MaildirDelivery(root), envelope('bob@example.org', 'ann@example.com'), hello);
    expect(readdirSync(root)).toEqual(['ann@example.com']);
    expect(readdirSync(join(root, 'ann@example.com')).toSorted()).toEqual(['cur', 'new', 'tmp']);
    expect(contents('ann@example.com')).toEqual([`Return-Path: <bob@example.org>\r\n${hello.toString()}`]);
    expect(list('ann@example.com', 'tmp')).toEqual([]);
    expect(list('ann@example.com', 'cur')).toEqual([]);
  });

  it('22: has an empty Return-Path for a null reverse-path', async () => {
    await deliver(new MaildirDelivery(root), envelope(null, 'ann@example.com'), hello);
    expect(contents('ann@example.com')[0]).toMatch(/^Return-Path: <>\r\nReceived/);
  });

  it('has the same octets for any chunks', async () => {
    const delivery = new MaildirDelivery(root);
    let n = 0;
    // Not `fc.uint8Array`, which would draw each of the octets by itself.
    const chunk = fc
      .tuple(fc.nat(90_000), fc.nat(255))
      .map(([length, first]) => Buffer.from({ length }).map((_, index) => first + index * index));
    const chunks = fc.array(chunk, { maxLength: 8, size: 'max' });
    await fc.assert(
      fc.asyncProperty(chunks, async (pieces) => {
        const to = `a${n++}@example.com`;
        await deliver(delivery, envelope('', to), ...pieces);
        const [file] = list(to);
        const stored = readFileSync(join(root, to, 'new', file ?? ''));
        expect(stored.equals(Buffer.concat([Buffer.from('Return-Path: <>\r\n'), ...pieces]))).toBe(true);
      }),
      { numRuns: runs(30) },
    );
  });

  it('holds no more memory for chunks of one octet than for their octets', async () => {
    const delivery = new MaildirDelivery(root);
    const octet = Buffer.from('x');
    const messages = await Promise.all(
      Array.from({ length: 20 }, () => delivery.openMessage(envelope('', 'ann@example.com'))),
    );
    const before = liveOctets();
    for (const message of messages) for (let count = 0; count < 50_000; count++) void message.write(octet);
    const octetsEach = (liveOctets() - before) / (20 * 50_000);
    for (const message of messages) await message.abort(new Error('over'));
    // The buffer doubles.
    expect(octetsEach).toBeLessThan(3);
  });

  it('does not use a chunk after write has returned', async () => {
    const message = await new MaildirDelivery(root).openMessage(envelope('', 'ann@example.com'));
    const chunk = Buffer.alloc(40_000);
    for (const letter of 'abc') {
      chunk.fill(letter);
      await message.write(chunk);
    }
    await message.end();
    expect(contents('ann@example.com')).toEqual([
      `Return-Path: <>\r\n${'a'.repeat(40_000)}${'b'.repeat(40_000)}${'c'.repeat(40_000)}`,
    ]);
  });

  it('is buffered up to 64 KiB, and then write waits for the disk', async () => {
    const message = await new MaildirDelivery(root).openMessage(envelope('', 'ann@example.com'));
    expect(message.write(Buffer.alloc(60_000))).toBeUndefined();
    expect(message.write(Buffer.alloc(60_000))).toBeInstanceOf(Promise);
    await message.abort(new Error('enough'));
  });

  it('is readable only by its owner', async () => {
    await deliver(new MaildirDelivery(join(root, 'deep/er')), envelope('', 'ann@example.com'), hello);
    const maildir = join(root, 'deep/er/ann@example.com');
    expect(statSync(maildir).mode & 0o077).toBe(0);
    expect(statSync(join(maildir, 'new')).mode & 0o077).toBe(0);
    const [file] = readdirSync(join(maildir, 'new'));
    expect(statSync(join(maildir, 'new', file ?? '')).mode & 0o077).toBe(0);
  });

  it('has a unique name among parallel messages', async () => {
    const delivery = new MaildirDelivery(root);
    await Promise.all(Array.from({ length: 100 }, () => deliver(delivery, envelope('', 'ann@example.com'), hello)));
    expect(new Set(list('ann@example.com')).size).toBe(100);
    for (const name of list('ann@example.com')) expect(name).toMatch(/^\d+\.M\d+P\d+R[0-9a-f]{16}\.[^/:]+$/);
  });

  it('goes into the folder of its address, even of a hostile one', async () => {
    const hostile = new Mailbox('../../../etc/cron.d/x', 'example.com');
    const given = { ...envelope('', 'ann@example.com'), recipients: [{ forwardPath: hostile, parameters: {} }] };
    await deliver(new MaildirDelivery(root), given, hello);
    expect(readdirSync(root)).toEqual(['%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fcron.d%2fx@example.com']);
  });

  it('creates its Maildir again after another program has removed it', async () => {
    const delivery = new MaildirDelivery(root);
    await deliver(delivery, envelope('', 'ann@example.com'), hello);
    rmSync(root, { recursive: true });
    await deliver(delivery, envelope('', 'ann@example.com'), hello);
    expect(list('ann@example.com')).toHaveLength(1);
  });

  it.skipIf(!hasPython())("is read by Python's mailbox (skipped without python3)", async () => {
    await deliver(new MaildirDelivery(root), envelope('bob@example.org', 'ann@example.com'), hello);
    const script =
      'import mailbox,sys\nfor m in mailbox.Maildir(sys.argv[1]): print(m["Return-Path"], m["Subject"], m.get_subdir())';
    const { stdout, stderr } = spawnSync('python3', ['-c', script, join(root, 'ann@example.com')], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(stdout).toBe('<bob@example.org> hello new\n');
  });
});

describe('a message for several recipients', () => {
  it('lies once in the Maildir of each, even of one named twice', async () => {
    const results = await deliver(
      new MaildirDelivery(root),
      envelope('', 'ann@example.com', 'bob@example.com', 'ann@EXAMPLE.com'),
      hello,
    );
    expect(results).toEqual([undefined, undefined, undefined]);
    expect(contents('ann@example.com')).toEqual([`Return-Path: <>\r\n${hello.toString()}`]);
    expect(contents('bob@example.com')).toEqual(contents('ann@example.com'));
    expect(list('ann@example.com', 'tmp')).toEqual([]);
  });

  it('is copied where hard links do not work', async () => {
    const files = failing({ link: 'EXDEV' });
    await deliver(new MaildirDelivery(root, { files }), envelope('', 'ann@x', 'bob@x', 'cyd@x'), hello);
    for (const name of ['ann@x', 'bob@x', 'cyd@x']) {
      expect(contents(name)).toEqual([`Return-Path: <>\r\n${hello.toString()}`]);
      expect(list(name, 'tmp')).toEqual([]);
    }
  });

  it('fails only for unusable Maildirs where each recipient has a reply (LMTP)', async () => {
    writeFileSync(join(root, 'ann@x'), 'not a folder');
    writeFileSync(join(root, 'cyd@x'), 'not a folder');
    const troubles = new Set<string | undefined>();
    const delivery = new MaildirDelivery(root, { onError: (_error, mailbox) => troubles.add(mailbox?.toString()) });
    const message = await delivery.openMessage(envelope('', 'ann@x', 'bob@x', 'cyd@x'));
    await message.write(hello);
    const results = resultsOf(await message.end(() => {}));
    expect(results?.map((reply) => reply?.code)).toEqual([451, undefined, 451]);
    expect(troubles).toEqual(new Set(['ann@x', 'cyd@x']));
    expect(list('bob@x')).toHaveLength(1);
    expect(list('bob@x', 'tmp')).toEqual([]);
  });

  it('opens few files in parallel, even for a thousand recipients', async () => {
    let open = 0;
    let most = 0;
    const files: FileSystem = {
      ...promises,
      open: async (...args) => {
        const handle = await promises.open(...args);
        most = Math.max(most, ++open);
        const close = handle.close.bind(handle);
        handle.close = async () => {
          await close();
          open--;
        };
        return handle;
      },
    };
    const names = Array.from({ length: 1000 }, (_, n) => `user${n}@example.com`);
    await deliver(new MaildirDelivery(root, { files }), envelope('', ...names), hello);
    expect(readdirSync(root)).toHaveLength(1000);
    expect(open).toBe(0);
    expect(most).toBeLessThanOrEqual(8);
  });
});

describe('a message that is not completed', () => {
  it('leaves nothing behind', async () => {
    const message = await new MaildirDelivery(root).openMessage(envelope('', 'ann@x', 'bob@x'));
    await message.write(Buffer.alloc(100_000));
    expect(list('ann@x', 'tmp')).toHaveLength(1);
    await message.abort(new Error('the client left'));
    expect(leftovers()).toEqual([]);
  });

  it.each([
    ['ENOSPC', 452, '4.3.1'],
    ['EDQUOT', 452, '4.3.1'],
    ['EIO', 451, '4.3.0'],
    ['EACCES', 451, '4.3.0'],
    ['EMFILE', 452, '4.3.1'],
    ['ENFILE', 452, '4.3.1'],
    ['ENOMEM', 452, '4.3.1'],
  ])('is refused with 4yz for %s when it is opened', async (code, reply, enhanced) => {
    const troubles: unknown[] = [];
    const delivery = new MaildirDelivery(root, {
      files: failing({ open: code }),
      onError: (error) => troubles.push(error),
    });
    const refused = await refusal(delivery.openMessage(envelope('', 'ann@x', 'bob@x')));
    expect(refused.reply).toMatchObject({ code: reply, enhanced });
    expect(refused.message).not.toContain(root);
    expect(refused.cause).toMatchObject({ code });
    expect(troubles).toEqual([refused.cause]);
  });

  it('becomes a process warning without a hook', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    onTestFinished(() => warn.mockRestore());
    const delivery = new MaildirDelivery(root, { files: failing({ open: 'EIO' }) });
    for (let times = 0; times < 2; times++) await refusal(delivery.openMessage(envelope('', 'ann@x')));
    expect(warn).toHaveBeenCalledExactlyOnceWith(
      expect.objectContaining({ message: expect.stringMatching(/^a message was not stored: /) }),
    );
  });

  it.each(['write', 'sync'] as const)('leaves nothing behind when %s fails', async (call) => {
    const files: FileSystem = {
      ...promises,
      open: async (...args) => {
        const handle = await promises.open(...args);
        if (args[1] === 'wx') handle[call] = () => Promise.reject(Object.assign(new Error(call), { code: 'ENOSPC' }));
        return handle;
      },
    };
    const message = await new MaildirDelivery(root, { files }).openMessage(envelope('', 'ann@x', 'bob@x'));
    await message.write(hello);
    const refused = await refusal(Promise.resolve(message.end()));
    expect(refused.reply).toMatchObject({ code: 452, enhanced: '4.3.1' });
    expect(leftovers()).toEqual([]);
  });

  it('is refused with the same reply when the disk fills up, and reported once', async () => {
    const troubles: unknown[] = [];
    const files: FileSystem = {
      ...promises,
      open: async (...args) => {
        const handle = await promises.open(...args);
        handle.write = () => Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }));
        return handle;
      },
    };
    const delivery = new MaildirDelivery(root, { files, onError: (error) => troubles.push(error) });
    const message = await delivery.openMessage(envelope('', 'ann@x', 'bob@x'));
    const refused = await refusal(Promise.resolve(message.write(Buffer.alloc(100_000))));
    expect(refused.reply).toMatchObject({ code: 452, enhanced: '4.3.1' });
    expect(troubles).toEqual([refused.cause]);
    await message.abort(refused);
    expect(leftovers()).toEqual([]);
  });

  it.each(['rename', 'link'] as const)('leaves nothing behind when %s fails', async (call) => {
    const files = failing({ [call]: 'ENOSPC' });
    const to = call === 'link' ? ['ann@x', 'bob@x'] : ['ann@x'];
    const results = await deliver(new MaildirDelivery(root, { files }), envelope('', ...to), hello);
    expect(results?.at(-1)).toMatchObject({ code: 452, enhanced: '4.3.1' });
    expect(list(to.at(-1) ?? '')).toEqual([]);
    expect(list('ann@x', 'tmp')).toEqual([]);
  });

  it('is removed from new if the folder cannot be synced', async () => {
    const files: FileSystem = {
      ...promises,
      open: async (...args) => {
        if (String(args[0]).endsWith('new')) throw Object.assign(new Error('sync'), { code: 'EIO' });
        return await promises.open(...args);
      },
    };
    const results = await deliver(new MaildirDelivery(root, { files }), envelope('', 'ann@x', 'bob@x'), hello);
    expect(results?.map((reply) => reply?.code)).toEqual([451, 451]);
    expect(leftovers()).toEqual([]);
  });
});

describe('a folder for Maildirs', () => {
  it('is created by prepare, with the folders above it', async () => {
    await new MaildirDelivery(join(root, 'a/b')).prepare();
    expect(readdirSync(join(root, 'a/b'))).toEqual([]);
  });

  it('makes prepare reject if it is a file', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(new MaildirDelivery(join(root, 'file')).prepare()).rejects.toMatchObject({ code: 'EEXIST' });
    await expect(new MaildirDelivery(join(root, 'file/b')).prepare()).rejects.toMatchObject({ code: 'ENOTDIR' });
  });

  it('makes prepare reject if it is not writable', async () => {
    const files = failing({ access: 'EROFS' });
    await expect(new MaildirDelivery(root, { files }).prepare()).rejects.toMatchObject({ code: 'EROFS' });
  });
});

describe('a message and a loss of power', () => {
  it('is synced in the order of the convention: folders, file, name', async () => {
    const done: string[] = [];
    await deliver(new MaildirDelivery(join(root, 'a/b'), { files: recording(done) }), envelope('', 'ann@x'), hello);
    expect(done).toEqual([
      'mkdir a/b',
      'sync a',
      'sync .',
      'mkdir a/b/ann@x/tmp',
      'mkdir a/b/ann@x/new',
      'mkdir a/b/ann@x/cur',
      'sync a/b/ann@x',
      'sync a/b',
      'write a/b/ann@x/tmp/1',
      'sync a/b/ann@x/tmp/1',
      'rename a/b/ann@x/tmp/1 a/b/ann@x/new/1',
      'sync a/b/ann@x/new',
    ]);
  });

  it('is synced for every recipient before the first reply', async () => {
    const done: string[] = [];
    const delivery = new MaildirDelivery(root, { files: recording(done) });
    await deliver(delivery, envelope('', 'ann@x', 'bob@x'), hello);
    done.length = 0;
    await deliver(delivery, envelope('', 'ann@x', 'bob@x'), hello);
    expect(done.slice(0, 3)).toEqual(['write ann@x/tmp/2', 'sync ann@x/tmp/2', 'link ann@x/tmp/2 bob@x/tmp/2']);
    // The two recipients are served in parallel, in no order.
    expect(new Set(done.slice(3, 5))).toEqual(
      new Set(['rename ann@x/tmp/2 ann@x/new/2', 'rename bob@x/tmp/2 bob@x/new/2']),
    );
    expect(new Set(done.slice(5))).toEqual(new Set(['sync ann@x/new', 'sync bob@x/new']));
  });

  it('is synced as a copy before the rename', async () => {
    const done: string[] = [];
    const files = { ...recording(done), link: failing({ link: 'EXDEV' }).link };
    await deliver(new MaildirDelivery(root, { files }), envelope('', 'ann@x', 'bob@x'), hello);
    const end = done.slice(done.indexOf('sync bob@x/tmp/1'));
    expect(new Set(end.slice(1, 3))).toEqual(
      new Set(['rename ann@x/tmp/1 ann@x/new/1', 'rename bob@x/tmp/1 bob@x/new/1']),
    );
    expect(new Set(end.slice(3))).toEqual(new Set(['sync ann@x/new', 'sync bob@x/new']));
  });

  it('waits for a Maildir that another message is creating', async () => {
    const done: string[] = [];
    const delivery = new MaildirDelivery(root, { files: recording(done) });
    await Promise.all([1, 2, 3].map(() => deliver(delivery, envelope('', 'ann@x'), hello)));
    expect(done.filter((one) => one.startsWith('mkdir'))).toHaveLength(4);
    const firstName = done.findIndex((one) => one.startsWith('rename'));
    expect(done.indexOf('sync .')).toBeLessThan(firstName);
  });
});

function envelope(from: string | null, ...to: string[]): Envelope {
  const mailbox = (address: string): Mailbox => {
    const at = address.lastIndexOf('@');
    return new Mailbox(address.slice(0, at), address.slice(at + 1));
  };
  return {
    reversePath: from === null || from === '' ? null : mailbox(from),
    parameters: { smtpUtf8: false },
    recipients: to.map((address) => ({ forwardPath: mailbox(address), parameters: {} })),
    id: 'test',
  };
}

async function deliver(delivery: MaildirDelivery, to: Envelope, ...chunks: Uint8Array[]): ReturnType<typeof end> {
  const message = await delivery.openMessage(to);
  for (const chunk of chunks) await message.write(chunk);
  return await end(message);
}

async function end(message: Message) {
  return resultsOf(await message.end());
}

async function refusal(promise: Promise<unknown>): Promise<Rejection> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Rejection);
  return error as Rejection;
}

function list(name: string, room = 'new'): string[] {
  return readdirSync(join(root, name, room));
}

function contents(name: string): string[] {
  return list(name).map((file) => readFileSync(join(root, name, 'new', file), 'latin1'));
}

/** Every file below the root. */
function leftovers(): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => entry.name);
}

/** The machine's file system, in which a few calls fail. */
function failing(codes: Partial<Record<'access' | 'link' | 'open' | 'rename', string>>): FileSystem {
  const fail = (code: string | undefined) => () => Promise.reject(Object.assign(new Error(`${root} fails`), { code }));
  const calls = Object.entries(codes).map(([call, code]) => [call, fail(code)]);
  return { ...promises, ...Object.fromEntries(calls) };
}

/**
 * The machine's file system, which notes what changes it, and what is made safe; unique names are
 * numbered.
 */
function recording(done: string[]): FileSystem {
  const unique: string[] = [];
  const say = (path: unknown): string => {
    const short = String(path).slice(root.length + 1) || '.';
    return short.replace(/\d+\.M.*$/, (name) => {
      if (!unique.includes(name)) unique.push(name);
      return String(unique.indexOf(name) + 1);
    });
  };
  return {
    ...promises,
    mkdir: ((...args: Parameters<typeof promises.mkdir>) => {
      done.push(`mkdir ${say(args[0])}`);
      return promises.mkdir(...args);
    }) as typeof promises.mkdir,
    link: async (from, to) => {
      await promises.link(from, to);
      done.push(`link ${say(from)} ${say(to)}`);
    },
    rename: async (from, to) => {
      await promises.rename(from, to);
      done.push(`rename ${say(from)} ${say(to)}`);
    },
    open: async (...args) => {
      const handle = await promises.open(...args);
      const sync = handle.sync.bind(handle);
      const write = handle.write.bind(handle);
      handle.sync = async () => {
        await sync();
        done.push(`sync ${say(args[0])}`);
      };
      handle.write = ((...bytes: Parameters<typeof write>) => {
        done.push(`write ${say(args[0])}`);
        return write(...bytes);
      }) as typeof write;
      return handle;
    },
  };
}

function hasPython(): boolean {
  return spawnSync('python3', ['-c', 'import mailbox']).status === 0;
}

/** Returns the octets that the process holds, after a collection of garbage. */
function liveOctets(): number {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
