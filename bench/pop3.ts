import { chmodSync, mkdirSync } from 'node:fs';
import { LoadGenerator } from './load.ts';
import { describeRun } from './machine.ts';
import { benchIdle } from './pop3/idle.ts';
import { benchNeighbours } from './pop3/neighbours.ts';
import { benchOpening } from './pop3/opening.ts';
import { readPop3Options } from './pop3/options.ts';
import type { Pop3Setting } from './pop3/servers.ts';
import { benchThroughput } from './pop3/throughput.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/** `npm run bench pop3`: `postern serve` beside bare responders on node:net, and beside Dovecot. */
export async function benchPop3(args: string[]): Promise<void> {
  const options = readPop3Options(args);
  console.log(describeRun('pop3', args));
  using folder = new TemporaryFolder();
  // Dovecot's processes have a user of their own.
  chmodSync(folder.path, 0o755);
  using load = new LoadGenerator(options.cores?.load);
  const { cores, profile } = options;
  if (profile !== undefined) mkdirSync(profile, { recursive: true });
  const setting: Pop3Setting = { cores, profile, folder: folder.path };
  if (['l', 'r'].some(options.wanted)) await benchThroughput(options, setting, load);
  if (options.wanted('o')) await benchOpening(options, setting);
  if (options.wanted('i')) await benchIdle(options, setting, load);
  if (options.wanted('n')) await benchNeighbours(options, setting);
}
