import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { type Ended, expectDone, run, skips, words } from '../support/program.ts';

type Channel = 'starttls' | 'smtps';
const CHANNELS: readonly Channel[] = ['starttls', 'smtps'];
const TEXT = 'Subject: hello\n\nhello\n';

let folder: string;
let maildirs: string;
let files: CertificateFiles;
/** A server with the default mechanisms. */
let postern: RunningPostern;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-defaults-'));
  maildirs = join(folder, 'mail');
  files = await certificateFiles(folder);
  postern = await startPostern(
    ...words`--listen smtp://127.0.0.1:0 --listen smtps://127.0.0.1:0 --tls-cert ${files.cert} --tls-key ${files.key}`,
    ...words`--auth memory:joe:s3cret --deliver maildir:${maildirs} --hostname localhost --log json`,
  );
});

afterAll(async () => {
  expect(await postern.stop()).toBe(0);
  // The default list of mechanisms shuts out no common client, so no warning stands in the log.
  expect(postern.output()).not.toMatch(/shut out|s3cret/);
  await rm(folder, { recursive: true });
});

/** Clients that get the server, the authority, the user and the password, and no other option. */
describe.each(CHANNELS)('by default, over %s,', (channel) => {
  for (const program of ['mutt', 'neomutt']) {
    it.skipIf(skips(program, program))(`${program} logs in and sends`, async () => {
      const to = `${program}-${channel}@example.com`;
      expectDelivered(await mutt(program, channel, to), await delivered(to));
    });
  }

  it.skipIf(skips('msmtp', 'msmtp'))('msmtp logs in and sends', async () => {
    const to = `msmtp-${channel}@example.com`;
    const ended = await run(
      'msmtp',
      [
        ...words`--host=localhost --port=${port(channel)} --tls=on --tls-starttls=${channel === 'smtps' ? 'off' : 'on'}`,
        ...words`--tls-trust-file=${files.ca} --auth=on --user=joe --passwordeval`,
        'echo s3cret',
        ...words`--from=joe@example.com -- ${to}`,
      ],
      TEXT,
    );
    expectDelivered(ended, await delivered(to));
  });

  it.skipIf(skips('go', 'golang-go'))('net/smtp of Go logs in and sends', async () => {
    const to = `go-${channel}@example.com`;
    const client = join(folder, `go-client-${channel}`);
    await expectDone('go', ['build', '-o', client, GO_CLIENT]);
    const args = words`${channel} localhost:${port(channel)} ${files.ca} joe s3cret ${to}`;
    expectDelivered(await run(client, args, TEXT.replaceAll('\n', '\r\n')), await delivered(to));
  });
});

async function mutt(program: string, channel: Channel, to: string): Promise<Ended> {
  const scheme = channel === 'smtps' ? 'smtps' : 'smtp';
  const settings = join(folder, `${program}-${channel}.rc`);
  await writeFile(
    settings,
    [
      `set smtp_url="${scheme}://joe@localhost:${port(channel)}/" smtp_pass="s3cret" ssl_force_tls=yes`,
      `set certificate_file="${files.ca}" from=joe@example.com copy=no`,
      '',
    ].join('\n'),
  );
  return run('env', [...words`HOME=${folder} TERM=dumb ${program} -n -F ${settings} -s hello -- ${to}`], 'hello\n');
}

/** Resolves to the only message in the recipient's Maildir; undefined for an empty Maildir. */
async function delivered(to: string): Promise<string | undefined> {
  const inbox = join(maildirs, to, 'new');
  const [name, ...others] = await readdir(inbox).catch(() => []);
  expect(others).toEqual([]);
  return name === undefined ? undefined : readFile(join(inbox, name), 'latin1');
}

function expectDelivered({ code, output }: Ended, message: string | undefined): void {
  expect(code, output).toBe(0);
  expect(message, output).toMatch(
    /^Return-Path: <joe@example\.com>\r\nReceived: from [\s\S]*? with (?:UTF8|E)SMTPSA\s/,
  );
  expect(message).toMatch(/^Subject: hello\r\n(?:\S.*\r\n)*\r\nhello\r\n$/m);
}

function port(channel: Channel): string {
  return postern.urls[channel === 'smtps' ? 1 : 0]?.port ?? '';
}

const GO_CLIENT = fileURLToPath(new URL('../support/go-client/main.go', import.meta.url));
