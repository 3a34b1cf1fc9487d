import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { type Ended, run, skips, words } from '../support/program.ts';
import { startRecordingServer } from '../support/recording-server.ts';

/**
 * A file with Unix line ends. After a bare LF, a vulnerable server would take the line of one dot
 * as the end.
 */
const UNIX_TEXT = 'Subject: notes\nTo: ann@example.com\n\none\n.\n.two\n..three\n\nMAIL FROM:<eve@example.com>\n';
/**
 * The delivered text. curl adds CRLF to a file that does not end with CRLF: one more empty line.
 */
const DELIVERED = `${UNIX_TEXT.replaceAll('\n', '\r\n')}\r\n`;

let folder: string;
let file: string;

describe.skipIf(skips('curl', 'curl'))('curl that uploads a Unix text file', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-newlines-'));
    file = join(folder, 'notes.txt');
    await writeFile(file, UNIX_TEXT);
  });

  afterAll(() => rm(folder, { recursive: true }));

  it('delivers it into a Maildir with CRLF line ends', async () => {
    const maildirs = join(folder, 'mail');
    await using postern = await startPostern(
      ...words`--listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --deliver maildir:${maildirs} --log silent`,
    );
    expect(await upload(postern)).toMatchObject({ code: 0 });
    const inbox = join(maildirs, 'ann@example.com', 'new');
    const [name = '', ...others] = await readdir(inbox);
    expect(others).toEqual([]);
    const delivered = await readFile(join(inbox, name), 'latin1');
    expect(delivered).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
    expect(delivered.slice(delivered.indexOf('Subject:'))).toBe(DELIVERED);
  });

  it('has it relayed as one message with stuffed dots', async () => {
    await using next = await startRecordingServer();
    await using postern = await startPostern(
      ...words`--listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --deliver smtp:127.0.0.1:${String(next.port)} --log silent`,
    );
    expect(await upload(postern)).toMatchObject({ code: 0 });
    const message = await next.message;
    expect(message).not.toMatch(/\r(?!\n)|(?<!\r)\n/);
    expect(message.slice(message.indexOf('Subject:'))).toBe(`${DELIVERED.replaceAll(/^\./gm, '..')}.\r\n`);
  });

  it('is refused by a listener with newlines=reject', async () => {
    await using postern = await startPostern(
      ...words`--listen smtp://127.0.0.1:0?newlines=reject --auth memory:joe:s3cret --deliver discard --log silent`,
    );
    const { code, output } = await upload(postern);
    expect(code, output).not.toBe(0);
    expect(output).toMatch(/^< 550 5\.6\.11 /m);
  });
});

function upload({ urls: [url] }: RunningPostern): Promise<Ended> {
  return run('curl', [
    ...words`--silent --verbose --url ${`smtp://127.0.0.1:${url?.port}`} --user joe:s3cret`,
    ...words`--mail-from joe@example.com --mail-rcpt ann@example.com --upload-file ${file}`,
  ]);
}
