import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';

/**
 * A message that a client must not change: dots, a long line, 8-bit text, trailing blanks, CRLF
 * only.
 */
export const MESSAGE = [
  'From: Joe <joe@example.com>',
  'To: Ann <ann@example.com>',
  'Subject: interop',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  '.',
  '..two dots',
  'Grüße, with a trailing blank ',
  'x'.repeat(900),
  '',
  'the end',
  '',
].join('\r\n');

/**
 * Expects exactly one message in the recipient's Maildir: {@link MESSAGE} from joe@example.com,
 * after a login.
 */
export async function expectDelivered(maildirs: string, to: string, message = MESSAGE): Promise<void> {
  const inbox = join(maildirs, to, 'new');
  const [name, ...others] = await readdir(inbox);
  expect(others).toEqual([]);
  const delivered = await readFile(join(inbox, name ?? ''), 'latin1');
  const trace = delivered.slice(0, delivered.length - Buffer.byteLength(message));
  expect(trace).toMatch(/^Return-Path: <joe@example\.com>\r\nReceived: from [\s\S]*? with ESMTPS?A\s[\s\S]*\r\n$/);
  expect(delivered.slice(trace.length)).toBe(Buffer.from(message).toString('latin1'));
}
