import { writeFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { plainResponder } from '@postern/sasl/client';
import { afterAll, beforeAll } from 'vitest';
import { type Settings, settingsOf } from '../../packages/postern/src/settings.ts';
import type { ServingPostern } from './postern.ts';
import { words } from './program.ts';

/** A command line without a number of workers. */
export const SERVE = words`--listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --deliver discard --log json`;

/**
 * Lets the workers that this process starts run from the bundle. They inherit this process's
 * options: with them they would run from source, but Node 22 does not know `using`.
 */
export function useBundleInWorkers(): void {
  const { execArgv } = process;
  beforeAll(() => {
    process.execArgv = execArgv.filter(
      (option, index) => option !== '--conditions' && execArgv[index - 1] !== '--conditions',
    );
  });
  afterAll(() => {
    process.execArgv = execArgv;
  });
}

/** Sends a message as joe. Resolves to the code of the reply. */
export async function deliver(postern: ServingPostern): Promise<number | undefined> {
  const transport = await connect({ endpoint: { host: '127.0.0.1', port: Number(postern.urls[0]?.port) } });
  const responders = [plainResponder({ username: 'joe', password: 's3cret' })];
  await using client = await connectSmtp(transport, { hostname: 'localhost', responders });
  const [answer] = await client.send({ from: null, to: [new Mailbox('ann', 'example.com')] }, [Buffer.from('hi\r\n')]);
  return answer?.code;
}

/** Returns the settings of the supervisor. */
export function settings(port = 0): Settings {
  return settingsOf({ config: { listen: [`smtp://127.0.0.1:${port}`], auth: ['anonymous'] }, nameOf: String });
}

/**
 * Writes a config file for two workers, each of which runs the code `first`, and returns its path.
 */
export function workersConfig(folder: string, first: string, more = ''): string {
  const file = join(folder, 'postern.config.js');
  const config = `{ workers: 2, listen: ['smtp://127.0.0.1:0'], auth: ['anonymous'], log: 'json', ${more} }`;
  writeFileSync(
    file,
    `import { existsSync, writeFileSync } from 'node:fs';
     if (process.env.POSTERN_WORKER) { ${first} }
     export default ${config};`,
  );
  return file;
}

/** Resolves to the ids of the child processes. */
export async function children({
  process: { pid },
}: {
  readonly process: { readonly pid?: number | undefined };
}): Promise<readonly number[]> {
  const found: number[] = [];
  for (const task of await readdir(`/proc/${pid}/task`)) {
    // The thread may have ended since `readdir`.
    const list = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '');
    found.push(...list.trim().split(' ').filter(Boolean).map(Number));
  }
  return found;
}

/** Resolves to false after the process has ended. */
export async function lives(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  // A zombie (Z) has ended, although its parent has not waited for it.
  return status !== undefined && !/\) Z/.test(status);
}
