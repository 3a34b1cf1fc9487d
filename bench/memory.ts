import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { EsmtpOptions } from './esmtp-options.ts';
import type { LoadGenerator } from './load.ts';
import { PosternCommand } from './postern-command.ts';
import { maxOpenFiles, type RunningServer, rssKib } from './processes.ts';
import { failOn, progress } from './progress.ts';
import { label, warnAbove } from './report.ts';
import { ROOT } from './revision.ts';
import type { ServerName } from './server-names.ts';
import { type Setting, startServer } from './servers.ts';
import { formatSpread, ratio, ratios, spread } from './statistics.ts';
import { table } from './table.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/**
 * Works g and g-tls: the memory of a server (RSS) that an idle authenticated connection adds,
 * from the first number of connections to the last, after a collection. Resolves to warnings.
 */
export async function benchMemory(
  options: EsmtpOptions,
  setting: Setting,
  load: LoadGenerator,
  before: string | undefined,
): Promise<string[]> {
  if (maxOpenFiles() < LAST + SPARE_FILES) {
    console.log(`\ng is left out: it needs more than ${LAST} open files, see ulimit -Hn`);
    return [];
  }
  using folder = new TemporaryFolder();
  const config = join(folder.path, 'postern.config.mjs');
  writeFileSync(config, CONFIG);
  const warned: string[] = [];
  for (const id of ['g', 'g-tls'].filter(options.wanted)) {
    const tls = id === 'g-tls';
    const names = options.servers.filter(
      (name) => (setting.before !== undefined || !name.startsWith('before')) && !(tls && name.endsWith('library')),
    );
    const start = (name: ServerName): Promise<RunningServer> => startIdle(name, setting, tls, config);
    const { sizes, failures } = await measure(id, names, options, start, load);
    const ours = sizes.get('command') ?? [];
    const rows = Array.from(sizes, ([name, kib]) => {
      const compared = name === 'command' ? [] : ratios(ours, kib);
      return [
        label(name, before),
        formatSpread(spread(kib.filter((size) => size !== undefined)), 1),
        compared.length > 0 ? ratio(spread(compared)) : '–',
      ];
    });
    console.log(`\n${table([`${id} ${TITLE}${tls ? ' over TLS' : ''}`, 'KiB', 'command, of this'], rows)}`);
    failOn(failures);
    for (const [name, reason] of failures) console.log(`FAILED ${label(name, before)}: ${reason}`);
    const toBefore = ratios(ours, sizes.get('before') ?? []);
    if (toBefore.length > 0) warned.push(...warnAbove(`${id}: memory of a connection`, spread(toBefore), before ?? ''));
  }
  return warned;
}

/** The KiB of a connection for each server and round, and why a server failed. */
interface Sizes {
  readonly sizes: ReadonlyMap<ServerName, readonly (number | undefined)[]>;
  readonly failures: ReadonlyMap<ServerName, string>;
}

async function measure(
  id: string,
  names: readonly ServerName[],
  { rounds, quick }: EsmtpOptions,
  start: (name: ServerName) => Promise<RunningServer>,
  load: LoadGenerator,
): Promise<Sizes> {
  const sizes = new Map(names.map((name): [ServerName, (number | undefined)[]] => [name, []]));
  const failures = new Map<ServerName, string>();
  const count = quick ? 1 : rounds;
  for (let round = 0; round < count; round++) {
    for (const [name, ofServer] of sizes) {
      try {
        await using server = await start(name);
        const kib = await growth(server, id === 'g-tls', load);
        ofServer.push(kib);
        progress(`${id} ${round + 1}/${count} ${name}: ${kib.toFixed(1)} KiB`);
      } catch (error) {
        ofServer.push(undefined);
        failures.set(name, (error as Error).message);
        progress(`${id} ${round + 1}/${count} ${name} failed: ${(error as Error).message}`);
      }
    }
  }
  return { sizes, failures };
}

/** Returns the KiB that each connection between the first number and the last adds. */
async function growth(server: RunningServer, tls: boolean, load: LoadGenerator): Promise<number> {
  const looks: number[] = [];
  await load.hold(server.port, [FIRST, LAST], tls ? 'smtps' : 'smtp', async () => {
    await server.collect?.();
    looks.push(rssKib(server.pids[0] ?? 0));
  });
  const [first = Number.NaN, last = Number.NaN] = looks;
  return (last - first) / (LAST - FIRST);
}

async function startIdle(name: ServerName, setting: Setting, tls: boolean, config: string): Promise<RunningServer> {
  if (name !== 'command' && name !== 'before') {
    return await startServer(name, { id: 'g', ...(tls && { tls: 'full' as const }) }, setting);
  }
  const root = name === 'before' ? setting.before : ROOT;
  if (root === undefined) throw new Error('before needs --against');
  const certificate = tls ? setting.certificate : undefined;
  return await PosternCommand.start({ root, cores: setting.cores?.server, certificate, config, collects: true });
}

const TITLE = 'RSS of an idle authenticated connection';

/** The numbers of open connections at the first and the second look. */
const FIRST = 1_000;
const LAST = 6_000;

/** The files that a process opens beside its connections. */
const SPARE_FILES = 100;

/** The limits that would refuse the connections, or close idle ones. All else is the default. */
const CONFIG = `export default {
  limits: { maxConnections: 20_000, maxConnectionsPerClient: 20_000 },
};
`;
