import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import * as files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MaildirMailboxes } from '@postern/maildir';
import { type Mailbox, MailboxInUse, MessageGone } from '@postern/pop3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MessageFile } from '../../packages/maildir/src/mailbox/message-file.ts';
import { MessageReader } from '../../packages/maildir/src/mailbox/message-reader.ts';

let root: string;
let maildir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'postern-mailbox-'));
  maildir = join(root, 'ann@example.com');
  for (const name of ['tmp', 'new', 'cur']) mkdirSync(join(maildir, name), { recursive: true });
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('a mailbox over a Maildir', () => {
  it('is empty for a user without a Maildir, and creates it', async () => {
    await using mailbox = await new MaildirMailboxes(root).open('Bob@example.com');
    expect(mailbox.messages).toEqual([]);
    expect(readdirSync(join(root, 'bob@example.com')).toSorted()).toEqual(['cur', 'new', 'postern-pop3.lock', 'tmp']);
  });

  it('lists the messages by the time of their delivery, with the sizes as sent', async () => {
    put('new/20.M5P1.host', 'two\n');
    put('new/20.M40P1.host,S=1,W=1', 'three\r\n\n');
    put('cur/3.M5P1.host:2,ST', 'one');
    put('new/.20.host', 'hidden');
    mkdirSync(join(maildir, 'new/21.folder'));
    symlinkSync('/etc/passwd', join(maildir, 'new/22.link'));
    await using mailbox = await open();
    expect(mailbox.messages.map(({ octets }) => octets)).toEqual([5, 5, 9]);
    expect(await contents(mailbox)).toEqual(['one\r\n', 'two\r\n', 'three\r\n\r\n']);
  });

  it('is locked against other sessions until its disposal', async () => {
    const mailbox = await open();
    await expect(open()).rejects.toThrow(MailboxInUse);
    await mailbox[Symbol.asyncDispose]();
    await (await open())[Symbol.asyncDispose]();
    expect(readdirSync(maildir).toSorted()).toEqual(['cur', 'new', 'tmp']);
    expect(readdirSync(join(maildir, 'tmp'))).toEqual([]);
  });

  it('removes the deleted messages, and marks the retrieved ones as seen', async () => {
    for (const n of [1, 2, 3]) put(`new/${n}.host`, `${n}\r\n`);
    writeFileSync(join(maildir, 'maildirsize'), '1000S\n9 3\n');
    {
      await using mailbox = await open();
      await mailbox.update([1], [0, 1]);
    }
    expect(readdirSync(join(maildir, 'new'))).toEqual(['3.host']);
    expect(readdirSync(join(maildir, 'cur'))).toEqual(['1.host:2,S']);
  });

  it('stays locked until an update has ended, also behind its disposal', async () => {
    put('new/1.host', '1\r\n');
    const gate = Promise.withResolvers<void>();
    const unlink = async (path: Parameters<typeof files.unlink>[0]) => {
      if (String(path).endsWith('1.host')) await gate.promise;
      await files.unlink(path);
    };
    const mailbox = await new MaildirMailboxes(root, { files: { ...files, unlink } }).open('ann@example.com');
    const updated = mailbox.update([0], []);
    const disposed = mailbox[Symbol.asyncDispose]();
    // More calls of the file system than a disposal makes.
    for (let call = 0; call < 20; call++) await files.stat(root);
    await expect(open()).rejects.toThrow(MailboxInUse);
    expect(readdirSync(maildir)).toContain('postern-pop3.lock');
    gate.resolve();
    await Promise.all([updated, disposed]);
    expect((await open()).messages).toEqual([]);
  });

  it('finds a message again that a reader has renamed, and reports one that is gone', async () => {
    for (const n of [1, 2]) put(`new/${n}.host,S=9`, `${n}\r\n`);
    await using mailbox = await open();
    renameSync(join(maildir, 'new/1.host,S=9'), join(maildir, 'cur/1.host:2,S'));
    unlinkSync(join(maildir, 'new/2.host,S=9'));
    expect(await content(mailbox, 0)).toBe('1\r\n');
    await expect(content(mailbox, 1)).rejects.toThrow(MessageGone);
  });
});

describe('the reader of a message', () => {
  it('closes its file behind the read that runs', async () => {
    const reading = Promise.withResolvers<{ bytesRead: number }>();
    const calls: string[] = [];
    const handle = {
      read: () => reading.promise.finally(() => calls.push('read')),
      close: () => void calls.push('closed'),
    };
    const reader = new MessageReader(handle as never, new MessageFile('new', '1.host'), MessageReader.buffers());
    void reader.read();
    const closed = reader.close();
    expect(calls).toEqual([]);
    reading.resolve({ bytesRead: 0 });
    await closed;
    expect(calls).toEqual(['read', 'closed']);
  });

  it('gives its buffer back when the caller asks for more behind the last octets', async () => {
    const { reader, buffers } = readerOf(Buffer.alloc(100_000, 'x'));
    const { buffer } = (await reader.read()) as Buffer;
    await reader.read();
    expect(buffers.take().buffer).not.toBe(buffer);
    expect(await reader.read()).toBeUndefined();
    expect(await reader.read()).toBeUndefined();
    await reader.close();
    expect(buffers.take().buffer).toBe(buffer);
    expect(buffers.take().buffer).not.toBe(buffer);
  });

  it('keeps its buffer from others if it closes before the end', async () => {
    const { reader, buffers } = readerOf(Buffer.alloc(100_000, 'x'));
    const chunk = (await reader.read()) as Buffer;
    await reader.close();
    expect(buffers.take().buffer).not.toBe(chunk.buffer);
    expect(chunk.every((octet) => octet === 'x'.charCodeAt(0))).toBe(true);
  });

  it('returns other octets than a reader beside it, whose lines end in LF', async () => {
    const texts = ['a', 'b', 'c', 'd'].map((letter, index) => `${letter.repeat(70)}\n`.repeat(3_000 * index + 300));
    for (const [index, text] of texts.entries()) put(`new/${index}.host`, text);
    for (let round = 0; round < 2; round++) {
      await using mailbox = await open();
      expect(await contents(mailbox)).toEqual(texts.map((text) => text.replaceAll('\n', '\r\n')));
    }
  });
});

/** Returns a reader of a file with CRLF whose octets these are. */
function readerOf(octets: Buffer) {
  const buffers = MessageReader.buffers();
  const file = new MessageFile('new', '1.host');
  file.setSizes({ octets: octets.length, storedOctets: octets.length });
  const handle = {
    read: (buffer: Buffer, offset: number, length: number, position: number) => ({
      bytesRead: octets.copy(buffer, offset, position, position + length),
    }),
    close: () => {},
  };
  return { reader: new MessageReader(handle as never, file, buffers), buffers };
}

function open() {
  return new MaildirMailboxes(root).open('ann@example.com');
}

function put(name: string, text: string): void {
  writeFileSync(join(maildir, name), text);
}

async function contents(mailbox: Mailbox): Promise<readonly string[]> {
  return await Promise.all(mailbox.messages.map((_, index) => content(mailbox, index)));
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
