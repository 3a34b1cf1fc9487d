import { join } from 'node:path';
import type { LoadGenerator } from '../load.ts';
import { maxOpenFiles, rssKib } from '../processes.ts';
import { failOn, progress } from '../progress.ts';
import { formatSpread, spread, verdictAtMost } from '../statistics.ts';
import { table } from '../table.ts';
import { writeMailbox } from './mailbox-files.ts';
import type { Pop3Options } from './options.ts';
import { mailboxFolder, type Pop3ServerName, type Pop3Setting, startPop3Server, USERS } from './servers.ts';

/**
 * Work i: the memory of a server (RSS) that an idle session after its login adds, from the 1,000th
 * to the 5,000th, after a collection. Each session has a mailbox of its own.
 */
export async function benchIdle(options: Pop3Options, setting: Pop3Setting, load: LoadGenerator): Promise<void> {
  if (maxOpenFiles() < LAST + SPARE_FILES) {
    console.log(`\ni is left out: it needs more than ${LAST} open files, see ulimit -Hn`);
    return;
  }
  const mailboxes = join(setting.folder, 'i');
  for (let user = 0; user < LAST; user++) writeMailbox(mailboxFolder(mailboxes, user), MAILBOX);
  const names = options.servers.filter(
    (name) => name === 'command' || name === 'library' || name === 'memory' || name === 'bare',
  );
  const sizes = new Map(names.map((name): [Pop3ServerName, number[]] => [name, []]));
  const failures = new Map<Pop3ServerName, string>();
  const rounds = Math.min(options.rounds, MAX_ROUNDS);
  for (let round = 0; round < rounds; round++) {
    for (const [name, ofServer] of sizes) {
      try {
        const kib = await growth(name, { ...setting, mailboxes, work: 'i', mailbox: MAILBOX }, load);
        ofServer.push(kib);
        progress(`i ${round + 1}/${rounds} ${name}: ${kib.toFixed(1)} KiB`);
      } catch (error) {
        failures.set(name, (error as Error).message);
        progress(`i ${round + 1}/${rounds} ${name} failed: ${(error as Error).message}`);
      }
    }
  }
  const rows = Array.from(sizes, ([name, kib]) => [
    name,
    formatSpread(spread(kib), 1),
    name === 'bare' ? '–' : verdictAtMost(spread(kib), MAX_KIB, 0),
  ]);
  console.log(`\n${table(['i RSS of an idle session after its login', 'KiB', 'asked'], rows)}`);
  for (const [name, reason] of failures) console.log(`FAILED ${name}: ${reason}`);
  failOn(failures);
}

/** Returns the KiB that each session between the first number and the last adds. */
async function growth(
  name: Pop3ServerName,
  serving: Parameters<typeof startPop3Server>[1],
  load: LoadGenerator,
): Promise<number> {
  await using server = await startPop3Server(name, serving);
  const looks: number[] = [];
  await load.hold(server.port, [FIRST, LAST], 'pop3', async () => {
    await server.collect?.();
    looks.push(rssKib(server.pids[0] ?? 0));
  });
  const [first = Number.NaN, last = Number.NaN] = looks;
  return (last - first) / (LAST - FIRST);
}

/** The numbers of open sessions at the first and the second look. */
const FIRST = 1_000;
const LAST = USERS;

/** The files that a process opens beside its connections. */
const SPARE_FILES = 100;

const MAX_ROUNDS = 3;

const MAILBOX = { count: 2, octets: 1024 };

const MAX_KIB = 8;
