import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import * as promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Envelope, Mailbox, type RecipientResult } from '@postern/esmtp';
import { type FileSystem, MaildirDelivery } from '@postern/maildir';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resultsOf } from '../support/results.ts';

const NAMES = ['ann', 'bob', 'cyd'] as const;
const ENVELOPE: Envelope = {
  reversePath: null,
  parameters: { smtpUtf8: false },
  // bob's copy has a field of its own, so that it is a copy and no link.
  recipients: ['ann', 'bob+tag', 'cyd'].map((name) => ({ forwardPath: new Mailbox(name, 'x'), parameters: {} })),
  id: 'test',
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'postern-all-or-none-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('a message for three Maildirs', () => {
  it('is in all of them or in none, for a failure of each call of the file system and each error', async () => {
    const calls = await callsOf(new Faults());
    expect(calls).toBeGreaterThan(20);
    let whole = 0;
    for (const code of ['EMFILE', 'ENOSPC', 'EIO']) {
      for (let call = 1; call <= calls; call++) {
        rmSync(root, { recursive: true });
        const [results, kept] = await outcome(new Faults(call, code));
        const message = `${code} in call ${call}: ${kept.join()}`;
        if (results.every((result) => result === undefined)) {
          expect(kept, message).toEqual([1, 1, 1]);
          whole += 1;
        } else {
          expect(kept, message).toEqual([0, 0, 0]);
          for (const result of results) expect(result?.code, message).toBe(code === 'EIO' ? 451 : 452);
        }
      }
    }
    expect(whole).toBeLessThan(calls);
  });

  it('is exactly in those for which LMTP replies 250', async () => {
    const calls = await callsOf(new Faults());
    let partial = 0;
    for (let call = 1; call <= calls; call++) {
      rmSync(root, { recursive: true });
      const [results, kept] = await outcome(new Faults(call, 'EIO'), () => {});
      expect(
        results.map((result) => (result === undefined ? 1 : 0)),
        `call ${call}`,
      ).toEqual(kept);
      if (new Set(kept).size > 1) partial += 1;
    }
    expect(partial).toBeGreaterThan(0);
  });

  it('is kept, and may come twice, if a rename cannot be undone', async () => {
    const files = new Faults(undefined, 'EIO').files;
    const rename: FileSystem['rename'] = (from, to) =>
      String(to).includes('cyd@x/new')
        ? Promise.reject(Object.assign(new Error('no'), { code: 'EIO' }))
        : promises.rename(from, to);
    const unlink = () => Promise.reject(Object.assign(new Error('no'), { code: 'EIO' }));
    const [results, kept] = await outcome({ files: { ...files, rename, unlink } });
    expect(results.map((result) => result?.code)).toEqual([451, 451, 451]);
    expect(kept).toEqual([1, 1, 0]);
  });
});

describe('a shortage of file descriptors or memory', () => {
  it.each(['EMFILE', 'ENFILE', 'ENOMEM'])('refuses MAIL until it ends: %s', async (code) => {
    let isShort = false;
    const open = ((...args: Parameters<typeof promises.open>) =>
      isShort
        ? Promise.reject(Object.assign(new Error('short'), { code }))
        : promises.open(...args)) as FileSystem['open'];
    const delivery = new MaildirDelivery(root, { files: { ...promises, open }, onError: () => {} });
    expect(delivery.validateFrom()).toBeUndefined();
    isShort = true;
    await expect(delivery.openMessage(ENVELOPE)).rejects.toMatchObject({ reply: { code: 452, enhanced: '4.3.1' } });
    await expect(delivery.validateFrom()).rejects.toMatchObject({ reply: { code: 452, enhanced: '4.3.1' } });
    isShort = false;
    await delivery.validateFrom();
    expect(delivery.validateFrom()).toBeUndefined();
  });
});

/**
 * The machine's file system, in which one call fails, counted from 1. Removing a file never fails.
 */
class Faults {
  readonly files: FileSystem;
  calls = 0;

  constructor(failing?: number, code = 'EIO') {
    const failIfDue = (): void => {
      if (++this.calls === failing) throw Object.assign(new Error('fault'), { code });
    };
    const faulty = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => {
      return async (...args: A): Promise<R> => {
        failIfDue();
        return await call(...args);
      };
    };
    const open = (async (...args: Parameters<typeof promises.open>) => {
      failIfDue();
      const handle = await promises.open(...args);
      handle.write = faulty(handle.write.bind(handle) as never) as never;
      // Sync costs no time here: durability does not matter.
      handle.sync = faulty(() => Promise.resolve());
      return handle;
    }) as FileSystem['open'];
    this.files = {
      ...promises,
      open,
      mkdir: faulty(promises.mkdir as never) as FileSystem['mkdir'],
      link: faulty(promises.link),
      rename: faulty(promises.rename),
    };
  }
}

async function callsOf(faults: Faults): Promise<number> {
  await outcome(faults);
  return faults.calls;
}

/**
 * The result of each recipient, and how many messages each Maildir has. Refused before the end, all
 * have that refusal.
 */
async function outcome(
  { files }: Pick<Faults, 'files'>,
  tell?: () => void,
): Promise<readonly [readonly RecipientResult[], readonly number[]]> {
  const delivery = new MaildirDelivery(root, { files, quota: 100_000, onError: () => {} });
  const results = await send(delivery, tell).catch((error: { reply: RecipientResult }) => NAMES.map(() => error.reply));
  return [results, NAMES.map((name) => list(join(root, `${name}@x/new`)).length)];
}

async function send(delivery: MaildirDelivery, tell?: () => void): Promise<readonly RecipientResult[]> {
  const message = await delivery.openMessage(ENVELOPE);
  try {
    await message.write(Buffer.alloc(70_000, 'x'));
  } catch (error) {
    await message.abort(error as Error);
    throw error;
  }
  return resultsOf(await message.end(tell));
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
