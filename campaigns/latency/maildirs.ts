import { link, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** How many Maildirs of each kind there are. Further ones are made at a login. */
export const MANY_MAILDIRS = 2;
const LARGE_MAILDIRS = 50;
const MANY_MESSAGES = 20_000;

/**
 * Makes the Maildirs of the flooding clients: `many0` has 20,000 messages, `large0` one of 1 MiB,
 * `small0` one of a few octets. Equal messages are links to one file.
 */
export async function makeMaildirs(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const [small, large] = [join(folder, 'small.message'), join(folder, 'large.message')];
  await writeFile(small, 'Subject: small\r\n\r\nHello\r\n');
  await writeFile(large, `Subject: large\r\n\r\n${`${'x'.repeat(1_022)}\r\n`.repeat(1_024)}`);
  for (let index = 0; index < LARGE_MAILDIRS; index++) {
    await fill(join(folder, `large${index}@example.com`), large, 1);
    await fill(join(folder, `small${index}@example.com`), small, 1);
  }
  for (let index = 0; index < MANY_MAILDIRS; index++) {
    await fill(join(folder, `many${index}@example.com`), small, MANY_MESSAGES);
  }
}

async function fill(maildir: string, message: string, count: number): Promise<void> {
  for (const name of ['tmp', 'new', 'cur']) await mkdir(join(maildir, name), { recursive: true });
  for (let index = 0; index < count; index++) {
    await link(message, join(maildir, 'cur', `${1_700_000_000 + index}.M0P1Q${index}.example:2,S`));
  }
}
