import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import * as promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Envelope, Mailbox, type RecipientResult } from '@postern/esmtp';
import { MaildirDelivery, type MaildirOptions } from '@postern/maildir';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'postern-quota-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const ann = new Mailbox('ann', 'x');
const bob = new Mailbox('bob', 'x');

describe('a quota', () => {
  it('is how much a mailbox may hold: the message that goes over it is refused for now, and leaves nothing behind', async () => {
    const delivery = new MaildirDelivery(root, { quota: 3_000 });
    expect(await deliver(delivery, 1_400, ann)).toEqual([undefined]);
    expect(await deliver(delivery, 1_400, ann)).toEqual([undefined]);
    expect(await deliver(delivery, 1_400, ann)).toMatchObject([{ code: 452, enhanced: '4.2.2' }]);
    expect(files(ann)).toHaveLength(2);
    expect(files(ann, 'tmp')).toEqual([]);
  });

  it('is more than nothing', () => {
    for (const quota of [0, -1, Number.NaN]) expect(() => new MaildirDelivery(root, { quota })).toThrow(RangeError);
  });

  it('is each mailbox’s own: one that is full is no other’s trouble, whichever comes first', async () => {
    const quota = (mailbox: Mailbox) => (mailbox.localPart === 'ann' ? 100 : undefined);
    const troubles: unknown[] = [];
    const delivery = new MaildirDelivery(root, { quota, onTrouble: (error) => troubles.push(error) });
    expect(await deliver(delivery, 1_400, ann, bob)).toMatchObject([{ code: 452 }, undefined]);
    expect(await deliver(delivery, 1_400, bob, ann)).toMatchObject([undefined, { code: 452 }]);
    expect([files(ann), files(ann, 'tmp'), files(bob, 'tmp')]).toEqual([[], [], []]);
    expect(files(bob)).toHaveLength(2);
    expect(troubles).toEqual([]);
  });

  it('is told already when the client names the recipient, if nothing fits any more', async () => {
    const delivery = new MaildirDelivery(root, { quota: 1_500 });
    await delivery.validateTo(ann);
    await deliver(delivery, 1_500 - RETURN_PATH, ann);
    await expect(delivery.validateTo(ann)).rejects.toMatchObject({ reply: { code: 452, enhanced: '4.2.2' } });
    await delivery.validateTo(bob);
  });

  it('counts what has been read as well, by its name or, if that does not tell, by its size', async () => {
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

  it('that cannot be looked up is a 451, and told of', async () => {
    const troubles: unknown[] = [];
    const trouble = Object.assign(new Error('disk'), { code: 'EIO' });
    const options: MaildirOptions = {
      quota: 3_000,
      files: {
        ...promises,
        readdir: (folder) => (folder === root ? promises.readdir(folder) : Promise.reject(trouble)),
      },
      onTrouble: (error) => troubles.push(error),
    };
    const delivery = new MaildirDelivery(root, options);
    await expect(delivery.validateTo(ann)).rejects.toMatchObject({ reply: { code: 451 } });
    expect(await deliver(delivery, 10, ann)).toMatchObject([{ code: 451 }]);
    expect(troubles).toEqual([trouble, trouble]);
    expect(files(ann, 'tmp')).toEqual([]);
  });
});

/** `Return-Path: <>` and its line end. */
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
  return (await message.end()) ?? [];
}

function files({ localPart, domain }: Mailbox, room = 'new'): string[] {
  return readdirSync(join(root, `${localPart}@${domain}`, room));
}

function noLooking(): never {
  throw new Error('the name tells');
}
