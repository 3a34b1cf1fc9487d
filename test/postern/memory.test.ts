import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { plainResponder } from '@postern/sasl/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

const MIB = 2 ** 20;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-memory-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

// The proc file system of Linux has the peak memory of a process.
describe.skipIf(process.platform !== 'linux')('a message of 1 GiB', () => {
  it('raises the peak memory of the server by at most 64 MiB', { timeout: 300_000 }, async () => {
    const config = join(folder, 'postern.config.mjs');
    await writeFile(config, `export default { limits: { maxMessageSize: ${2 ** 31} } };`);
    await using postern = await startPostern(
      ...words`--listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --deliver discard --log silent --config ${config}`,
    );
    const send = async (mebibytes: number): Promise<void> => {
      const transport = await connect({ endpoint: { host: '127.0.0.1', port: Number(postern.urls[0]?.port) } });
      const responders = [plainResponder({ username: 'joe', password: 's3cret' })];
      await using client = await connectSmtp(transport, { hostname: 'localhost', responders });
      const [answer] = await client.send({ from: null, to: [new Mailbox('ann', 'example.com')] }, body(mebibytes));
      expect(answer?.code).toBe(250);
    };
    await send(1);
    const before = await peak(postern.process.pid);
    await send(1024);
    expect((await peak(postern.process.pid)) - before).toBeLessThanOrEqual(64 * MIB);
  });
});

function* body(mebibytes: number): Generator<Uint8Array> {
  const lines = Buffer.from(`${'x'.repeat(62)}\r\n`.repeat(MIB / 64));
  for (let sent = 0; sent < mebibytes; sent++) yield lines;
}

/** Resolves to the peak resident memory of a process, in octets. */
async function peak(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
