import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import { expectDone } from './program.ts';

/** Starts an haproxy with this configuration, which it first checks. The log goes to its output. */
export async function startHaproxy(folder: string, configuration: string): Promise<Daemon> {
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, configuration);
  await expectDone('haproxy', ['-c', '-f', file]);
  // In master-worker mode haproxy says when it has bound its ports.
  return await startDaemon('haproxy', ['-W', '-f', file], /Loading success/);
}
