import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import * as promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Envelope, Mailbox, type RecipientResult } from '@postern/esmtp';
import { MaildirDelivery, type MaildirOptions } from '@postern/maildir';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resultsOf } from '../support/results.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'postern-quota-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const ann = new Mailbox('ann', 'x');
const bob = new Mailbox('bob', 'x');

describe('a quota', () => {
  it('refuses a message that exceeds it with 452 and leaves nothing behind', async () => {
    const delivery = new MaildirDelivery(root, { quota: 3_000 });
    expect(await deliver(delivery, 1_400, ann)).toEqual([undefined]);
    expect(await deliver(delivery, 1_400, ann)).toEqual([undefined]);
    expect(await deliver(delivery, 1_400, ann)).toMatchObject([{ code: 452, enhanced: '4.2.2' }]);
    expect(files(ann)).toHaveLength(2);
    expect(files(ann, 'tmp')).toEqual([]);
  });

  it('names the size of each finished file, also of a copy with a field of its own', async () => {
    const delivery = new MaildirDelivery(root, { quota: 2 ** 30 });
    for (const octets of [0, 1, 70_000, 200_000])
      await deliver(delivery, octets, new Mailbox('bob+tag', 'x'), ann, bob);
    for (const mailbox of [ann, bob]) {
      const sizes = files(mailbox).map((name) => statSync(join(root, `${mailbox.toString()}/new`, name)).size);
      expect(files(mailbox).map((name) => Number(name.split(',S=')[1]))).toEqual(sizes);
    }
  });

  it('is above 0', () => {
    for (const quota of [0, -1, Number.NaN]) expect(() => new MaildirDelivery(root, { quota })).toThrow(RangeError);
  });

  it('belongs to one mailbox: a full mailbox does not affect another, in any order (LMTP)', async () => {
    const quota = (mailbox: Mailbox) => (mailbox.localPart === 'ann' ? 100 : undefined);
    const failures: unknown[] = [];
    const delivery = new MaildirDelivery(root, { quota, onError: (error) => failures.push(error) });
    expect(await deliverEach(delivery, 1_400, ann, bob)).toMatchObject([{ code: 452 }, undefined]);
    expect(await deliverEach(delivery, 1_400, bob, ann)).toMatchObject([undefined, { code: 452 }]);
    expect([files(ann), files(ann, 'tmp'), files(bob, 'tmp')]).toEqual([[], [], []]);
    expect(files(bob)).toHaveLength(2);
    expect(failures).toEqual([]);
  });

  it('that is full refuses the message for all where there is one reply (SMTP)', async () => {
    const quota = (mailbox: Mailbox) => (mailbox.localPart === 'ann' ? 100 : 5_000);
    const delivery = new MaildirDelivery(root, { quota });
    expect(await deliver(delivery, 1_400, bob, ann)).toMatchObject([{ code: 452 }, { code: 452 }]);
    expect([files(ann), files(bob), files(ann, 'tmp'), files(bob, 'tmp')]).toEqual([[], [], [], []]);
    expect(sumOf(bob)).toBe(0);
  });

  it('is checked at RCPT if the mailbox is full', async () => {
    const delivery = new MaildirDelivery(root, { quota: 1_500 });
    await delivery.validateTo(ann);
    await deliver(delivery, 1_500 - RETURN_PATH, ann);
    await expect(delivery.validateTo(ann)).rejects.toMatchObject({ reply: { code: 452, enhanced: '4.2.2' } });
    await delivery.validateTo(bob);
  });

  it('counts messages in cur as well, by the size in the name or of the file', async () => {
    const delivery = new MaildirDelivery(root, { quota: 3_000, files: { ...promises, stat: noLooking } });
    await deliver(delivery, 1_400, ann);
    const [name = ''] = files(ann);
    expect(name).toMatch(new RegExp(`,S=${1_400 + RETURN_PATH}$`));
    renameSync(join(root, 'ann@x/new', name), join(root, 'ann@x/cur', `${name}:2,S`));
    expect(await deliver(delivery, 1_400, ann)).toEqual([undefined]);
    expect(await deliver(delivery, 1_400, ann)).toMatchObject([{ code: 452 }]);

    mkdirSync(join(root, 'bob@x/cur'), { recursive: true });
    writeFileSync(join(root, 'bob@x/cur/somebody:2,S'), Buffer.alloc(2_000));
    expect(await deliver(new MaildirDelivery(root, { quota: 3_000 }), 1_400, bob)).toMatchObject([{ code: 452 }]);
  });

  it('is checked against the declared SIZE (RFC 1870)', async () => {
    const delivery = new MaildirDelivery(root, { quota: 3_000 });
    await delivery.validateTo(ann, {}, { smtpUtf8: false, size: 3_000 });
    await expect(delivery.validateTo(ann, {}, { smtpUtf8: false, size: 3_001 })).rejects.toMatchObject({
      reply: { code: 452, enhanced: '4.2.2' },
    });
  });

  it('holds for parallel messages', async () => {
    const delivery = new MaildirDelivery(root, { quota: 1_000 });
    const other = new MaildirDelivery(root, { quota: 1_000 });
    const results = await Promise.all(
      Array.from({ length: 40 }, (_, at) => deliver(at % 2 === 0 ? delivery : other, 300, ann)),
    );
    const kept = results.filter(([result]) => result === undefined).length;
    expect(kept).toBeGreaterThan(0);
    expect(kept * (300 + RETURN_PATH)).toBeLessThanOrEqual(1_000);
    expect(files(ann)).toHaveLength(kept);
    expect(sumOf(ann)).toBe(kept * (300 + RETURN_PATH));
  });

  it('is recorded in maildirsize, to which other programs append', async () => {
    const delivery = new MaildirDelivery(root, { quota: 3_000 });
    await deliver(delivery, 1_000, ann);
    expect(readFileSync(join(root, 'ann@x/maildirsize'), 'latin1')).toBe(`3000S\n0 0\n${1_000 + RETURN_PATH} 1\n`);
    appendFileSync(join(root, 'ann@x/maildirsize'), '1900 1\n');
    await expect(delivery.validateTo(ann, {}, { smtpUtf8: false, size: 100 })).rejects.toMatchObject({
      reply: { code: 452 },
    });
    appendFileSync(join(root, 'ann@x/maildirsize'), '-1900 -1\n');
    await delivery.validateTo(ann, {}, { smtpUtf8: false, size: 100 });
  });

  it.each([
    ['truncated', '3000S\n2900 1\n12'],
    ['empty', ''],
    ['of another quota', '9999S\n2900 1\n'],
    ['not a list of sizes', '3000S\nlots\n'],
    ['negative', '3000S\n-5 1\n'],
    ['too long', `3000S\n${'1 1\n'.repeat(1_400)}`],
    ['far too long', `3000S\n${'1 1\n'.repeat(20_000)}`],
    ['possibly outdated, of a full mailbox', '3000S\n1500 1\n1500 1\n'],
  ])('counts again if the record is %s, with Maildir++ folders', async (_title, text) => {
    for (const folder of ['ann@x/tmp', 'ann@x/cur', 'ann@x/.Sent/cur', 'ann@x/.Sent/new']) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    writeFileSync(join(root, 'ann@x/.Sent/cur/a,S=1000:2,S'), '');
    writeFileSync(join(root, 'ann@x/cur/b'), Buffer.alloc(500));
    writeFileSync(join(root, 'ann@x/maildirsize'), text);
    await new MaildirDelivery(root, { quota: 3_000 }).validateTo(ann, {}, { smtpUtf8: false, size: 1_500 });
    expect(sumOf(ann)).toBe(1_500);
  });

  it('reads no message if the record is usable', async () => {
    const looked: unknown[] = [];
    const opendir = ((...args: Parameters<typeof promises.opendir>) => {
      looked.push(args[0]);
      return promises.opendir(...args);
    }) as typeof promises.opendir;
    const delivery = new MaildirDelivery(root, { quota: 3_000, files: { ...promises, opendir } });
    await deliver(delivery, 1_000, ann);
    looked.length = 0;
    await delivery.validateTo(ann);
    await deliver(delivery, 1_000, ann);
    // The mailbox is full, but it was counted a moment ago: each message does not count it again.
    for (let times = 0; times < 3; times++) await deliver(delivery, 1_000, ann);
    expect(looked).toEqual([]);
  });

  it('that cannot be read is a 451 and is reported', async () => {
    const failures: unknown[] = [];
    const failure = Object.assign(new Error('disk'), { code: 'EIO' });
    const options: MaildirOptions = {
      quota: 3_000,
      files: {
        ...promises,
        readdir: (folder) => (folder === root ? promises.readdir(folder) : Promise.reject(failure)),
      },
      onError: (error) => failures.push(error),
    };
    const delivery = new MaildirDelivery(root, options);
    await expect(delivery.validateTo(ann)).rejects.toMatchObject({ reply: { code: 451 } });
    expect(await deliver(delivery, 10, ann)).toMatchObject([{ code: 451 }]);
    expect(failures).toEqual([failure, failure]);
    expect(files(ann, 'tmp')).toEqual([]);
  });
});

/** The octets of `Return-Path: <>` and its CRLF. */
const RETURN_PATH = 17;

async function deliver(
  delivery: MaildirDelivery,
  octets: number,
  ...to: Mailbox[]
): Promise<readonly RecipientResult[]> {
  const envelope: Envelope = {
    reversePath: null,
    parameters: { smtpUtf8: false },
    recipients: to.map((forwardPath) => ({ forwardPath, parameters: {} })),
    id: 'test',
  };
  const message = await delivery.openMessage(envelope);
  await message.write(Buffer.alloc(octets, 'x'));
  return resultsOf(await message.end());
}

/** As {@link deliver}, of a client that has a reply for each recipient. */
async function deliverEach(
  delivery: MaildirDelivery,
  octets: number,
  ...to: Mailbox[]
): Promise<readonly RecipientResult[]> {
  const recipients = to.map((forwardPath) => ({ forwardPath, parameters: {} }));
  const message = await delivery.openMessage({
    reversePath: null,
    parameters: { smtpUtf8: false },
    recipients,
    id: 'test',
  });
  await message.write(Buffer.alloc(octets, 'x'));
  return resultsOf(await message.end(() => {}));
}

/** Returns the sum of the `maildirsize` file. */
function sumOf({ localPart, domain }: Mailbox): number {
  const [, ...lines] = readFileSync(join(root, `${localPart}@${domain}`, 'maildirsize'), 'latin1')
    .trim()
    .split('\n');
  return lines.reduce((sum, line) => sum + Number.parseInt(line, 10), 0);
}

function files({ localPart, domain }: Mailbox, room = 'new'): string[] {
  return readdirSync(join(root, `${localPart}@${domain}`, room));
}

function noLooking(): never {
  throw new Error('the name tells');
}
