import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import * as promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mailbox, parseMailbox, type Recipient } from '@postern/esmtp';
import { MaildirDelivery, type MaildirOptions } from '@postern/maildir';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resultsOf } from '../support/results.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'postern-mailboxes-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('one mailbox', () => {
  it('has one Maildir for any case of local part and domain', async () => {
    const delivery = new MaildirDelivery(root);
    for (const to of ['ann@example.com', 'Ann@example.com', 'ANN@EXAMPLE.COM']) await deliver(delivery, to);
    expect(readdirSync(root)).toEqual(['ann@example.com']);
    expect(contents('ann@example.com')).toHaveLength(3);
  });

  it('gets one copy of a message that names it twice', async () => {
    expect(await deliver(new MaildirDelivery(root), 'ann@example.com', 'ANN@example.com')).toEqual([
      undefined,
      undefined,
    ]);
    expect(contents('ann@example.com')).toEqual([`Return-Path: <>\r\n${HELLO}`]);
  });

  it('is two mailboxes with caseSensitive', async () => {
    const delivery = new MaildirDelivery(root, { caseSensitive: true });
    for (const to of ['ann@example.com', 'Ann@EXAMPLE.com']) await deliver(delivery, to);
    expect(readdirSync(root).toSorted()).toEqual(['%41nn@example.com', 'ann@example.com']);
  });
});

describe('a folder whose name has capitals', () => {
  it.each(['%41nn@example.com', 'Ann@example.com', 'Ann@Example.COM', '%41NN@example.com'])(
    'such as %s is used, whatever the case of the address',
    async (name) => {
      mkdirSync(join(root, name));
      const delivery = new MaildirDelivery(root);
      await delivery.prepare();
      for (const to of ['Ann@example.com', 'ann@example.com']) await deliver(delivery, to);
      expect(readdirSync(root)).toEqual([name]);
      expect(contents(name)).toHaveLength(2);
    },
  );

  it('is used, with characters beyond ASCII as well', async () => {
    mkdirSync(join(root, 'j%c3%96rg@example.com'));
    await deliver(new MaildirDelivery(root), 'jörg@example.com');
    expect(contents('j%c3%96rg@example.com')).toHaveLength(1);
  });

  it('is unused if there is one without capitals; the first of several counts', async () => {
    for (const name of ['%41nn@x', 'ann@x', '%42%4fb@x', '%42ob@x', 'Cyd@x@y', '%43%%41']) mkdirSync(join(root, name));
    const delivery = new MaildirDelivery(root);
    await deliver(delivery, 'Ann@x', 'Bob@x', 'Cyd@x');
    expect(contents('ann@x')).toHaveLength(1);
    expect(contents('%42%4fb@x')).toHaveLength(1);
    expect(contents('cyd@x')).toHaveLength(1);
    expect(readdirSync(join(root, '%41nn@x'))).toEqual([]);
  });

  it('may be renamed while the server runs', async () => {
    mkdirSync(join(root, '%41nn@x'));
    const delivery = new MaildirDelivery(root);
    await deliver(delivery, 'ann@x');
    renameSync(join(root, '%41nn@x'), join(root, 'ann@x'));
    // The message that misses the folder creates it again. Later messages find the new one.
    await deliver(delivery, 'ann@x');
    await deliver(delivery, 'ann@x');
    expect([contents('ann@x').length, contents('%41nn@x').length]).toEqual([2, 1]);
  });

  it('is found by one reading of the folder, at the start', async () => {
    let readings = 0;
    const readdir = (folder: string) => {
      readings += 1;
      return promises.readdir(folder);
    };
    const delivery = new MaildirDelivery(root, { files: { ...promises, readdir } });
    await delivery.prepare();
    for (const to of ['ann@x', 'Ann@x', 'bob@x']) await deliver(delivery, to);
    expect(readings).toBe(1);
  });

  it('that cannot be read is reported and read again', async () => {
    let readings = 0;
    const readdir = (folder: string) => {
      readings += 1;
      if (readings === 1) throw Object.assign(new Error('disk'), { code: 'EIO' });
      return promises.readdir(folder);
    };
    const told: unknown[] = [];
    const delivery = new MaildirDelivery(root, {
      files: { ...promises, readdir },
      onError: (error) => told.push(error),
    });
    await expect(deliver(delivery, 'ann@x')).rejects.toMatchObject({ reply: { code: 451 } });
    expect(told).toMatchObject([{ code: 'EIO' }]);
    await deliver(delivery, 'ann@x');
    expect(contents('ann@x')).toHaveLength(1);
  });
});

describe('a tag in an address', () => {
  it('selects the user’s mailbox and appears in Delivered-To', async () => {
    await deliver(new MaildirDelivery(root), 'Ann+List@example.com');
    expect(readdirSync(root)).toEqual(['ann@example.com']);
    expect(contents('ann@example.com')).toEqual([`Return-Path: <>\r\nDelivered-To: Ann+List@example.com\r\n${HELLO}`]);
  });

  it('appears only in that copy, and once for a mailbox with several addresses', async () => {
    const delivery = new MaildirDelivery(root);
    const big = 'x'.repeat(200_000);
    const results = await deliverTo(
      delivery,
      ['ann+a@x', 'bob@x', 'ann+b@x', 'ann+A@x', 'cyd+c@x', 'ann@x'],
      Buffer.from(big),
    );
    expect(results).toEqual(Array.from({ length: 6 }));
    expect(contents('ann@x')).toEqual([`Return-Path: <>\r\nDelivered-To: ann+a@x\r\nDelivered-To: ann+b@x\r\n${big}`]);
    expect(contents('bob@x')).toEqual([`Return-Path: <>\r\n${big}`]);
    expect(contents('cyd@x')).toEqual([`Return-Path: <>\r\nDelivered-To: cyd+c@x\r\n${big}`]);
    for (const name of readdirSync(root)) expect(readdirSync(join(root, name, 'tmp'))).toEqual([]);
  });

  it('counts with its field towards the quota', async () => {
    const delivery = new MaildirDelivery(root, { quota: 1000, recipientDelimiter: '-' });
    await deliver(delivery, 'bob@x', 'ann-a@x');
    for (const [name, field] of Object.entries({ 'ann@x': 'Delivered-To: ann-a@x\r\n', 'bob@x': '' })) {
      const [file = ''] = readdirSync(join(root, name, 'new'));
      expect(file).toMatch(new RegExp(`,S=${`Return-Path: <>\r\n${field}${HELLO}`.length}$`));
    }
  });

  it('is part of the name without a delimiter', async () => {
    await deliver(new MaildirDelivery(root, { recipientDelimiter: '' }), 'ann+list@x');
    expect(contents('ann+list@x')).toEqual([`Return-Path: <>\r\n${HELLO}`]);
  });

  it('fails the message for all recipients if its copy cannot be written', async () => {
    const open = (async (...args: Parameters<typeof promises.open>) => {
      if (args[1] === 'wx' && String(args[0]).includes('ann@x'))
        throw Object.assign(new Error('full'), { code: 'ENOSPC' });
      return await promises.open(...args);
    }) as typeof promises.open;
    const results = await deliver(new MaildirDelivery(root, { files: { ...promises, open } }), 'bob@x', 'ann+a@x');
    expect(results?.map((reply) => reply?.code)).toEqual([452, 452]);
    expect(readdirSync(join(root, 'bob@x/new'))).toEqual([]);
    expect(readdirSync(join(root, 'ann@x/new'))).toEqual([]);
    expect(readdirSync(join(root, 'ann@x/tmp'))).toEqual([]);
  });
});

describe('an alias', () => {
  it('appears in Delivered-To of its mailbox', async () => {
    const ann = { ...recipient('ann@x'), originalPath: new Mailbox('sales', 'x') };
    await deliver(new MaildirDelivery(root), ann, recipient('bob@x'));
    expect(contents('ann@x')).toEqual([`Return-Path: <>\r\nDelivered-To: sales@x\r\n${HELLO}`]);
    expect(contents('bob@x')).toEqual([`Return-Path: <>\r\n${HELLO}`]);
  });
});

describe.skipIf(process.platform === 'win32')('permissions', () => {
  it('are restricted to the owner by default', async () => {
    await deliver(new MaildirDelivery(join(root, 'mail')), 'ann@x');
    expect(modes('mail/ann@x')).toEqual({ folder: 0o700, new: 0o700, file: 0o600 });
  });

  it('are those of the options for any umask, with the group on every file and folder', async () => {
    const group = process.getgid?.() ?? 0;
    const before = process.umask(0o077);
    try {
      const delivery = new MaildirDelivery(join(root, 'deep/mail'), { mode: 0o660, group });
      await deliver(delivery, 'ann@x', 'bob+tag@x');
    } finally {
      process.umask(before);
    }
    for (const name of ['ann@x', 'bob@x']) {
      expect(modes(`deep/mail/${name}`)).toEqual({ folder: 0o2770, new: 0o2770, file: 0o660 });
    }
    expect(statSync(join(root, 'deep')).mode & 0o7777).toBe(0o2770);
    expect(statSync(join(root, 'deep/mail/ann@x/new')).gid).toBe(group);
  });

  it('of existing folders stay unchanged', async () => {
    mkdirSync(join(root, 'ann@x'), { mode: 0o755 });
    const before = statSync(join(root, 'ann@x')).mode;
    await deliver(new MaildirDelivery(root, { mode: 0o640 }), 'ann@x');
    expect(statSync(join(root, 'ann@x')).mode).toBe(before);
    expect(modes('ann@x')).toMatchObject({ new: 0o750, file: 0o640 });
  });

  it('that cannot be set refuse the message with 451 and leave nothing behind', async () => {
    const failure = () => Promise.reject(Object.assign(new Error('not a member'), { code: 'EPERM' }));
    const open = (async (...args: Parameters<typeof promises.open>) => {
      const handle = await promises.open(...args);
      handle.chown = failure;
      return handle;
    }) as typeof promises.open;
    const delivery = new MaildirDelivery(root, { files: { ...promises, open }, group: 4711, mode: 0o660 });
    const folders = new MaildirDelivery(join(root, 'deep'), { files: { ...promises, chown: failure }, group: 4711 });
    mkdirSync(join(root, 'ann@x'));
    for (const room of ['tmp', 'new', 'cur']) mkdirSync(join(root, 'ann@x', room));
    await expect(deliver(delivery, 'ann@x')).rejects.toMatchObject({ reply: { code: 451 } });
    expect(readdirSync(join(root, 'ann@x/tmp'))).toEqual([]);
    await expect(folders.prepare()).rejects.toMatchObject({ code: 'EPERM' });
  });

  it.each<MaildirOptions>([{ mode: 0o444 }, { mode: 0o1777 }, { mode: 1.5 }, { group: -1 }, { group: 0.5 }])(
    'that cannot be are a RangeError: %j',
    (options) => {
      expect(() => new MaildirDelivery(root, options)).toThrow(RangeError);
    },
  );
});

const HELLO = 'Received: from x\r\nSubject: hello\r\n\r\nbody\r\n';

function recipient(address: string): Recipient {
  const at = address.lastIndexOf('@');
  return {
    forwardPath: parseMailbox(address) ?? new Mailbox(address.slice(0, at), address.slice(at + 1)),
    parameters: {},
  };
}

async function deliver(delivery: MaildirDelivery, ...to: readonly (string | Recipient)[]) {
  return await deliverTo(delivery, to);
}

async function deliverTo(
  delivery: MaildirDelivery,
  to: readonly (string | Recipient)[],
  content: Uint8Array = Buffer.from(HELLO),
) {
  const recipients = to.map((one) => (typeof one === 'string' ? recipient(one) : one));
  const message = await delivery.openMessage({
    reversePath: null,
    parameters: { smtpUtf8: false },
    recipients,
    id: 'test',
  });
  await message.write(content);
  return resultsOf(await message.end());
}

function contents(name: string): string[] {
  const folder = join(root, name, 'new');
  return readdirSync(folder).map((file) => readFileSync(join(folder, file), 'latin1'));
}

function modes(name: string): Record<string, number> {
  const [file = ''] = readdirSync(join(root, name, 'new'));
  const modeOf = (...parts: string[]) => statSync(join(root, name, ...parts)).mode & 0o7777;
  return { folder: modeOf(), new: modeOf('new'), file: modeOf('new', file) };
}
