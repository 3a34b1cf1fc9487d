import { chownSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { failOn, progress } from '../progress.ts';
import { formatSpread, ratio, ratios, spread, verdictAtMost } from '../statistics.ts';
import { table } from '../table.ts';
import { Pop3Client } from './client.ts';
import { Dovecot, whyWithoutDovecot } from './dovecot.ts';
import { removeIndexes, writeMailbox } from './mailbox-files.ts';
import type { Pop3Options } from './options.ts';
import { mailboxFolder, type Pop3ServerName, type Pop3Setting, startPop3Server, userName } from './servers.ts';

/**
 * Work o: the time from the password to the reply of STAT, for a mailbox of many messages, beside
 * Dovecot on a copy of the same Maildir. Cold: the server has noted nothing about the mailbox.
 * Warm: the server has opened it before. The files are in the page cache in both cases.
 */
export async function benchOpening(options: Pop3Options, setting: Pop3Setting): Promise<void> {
  const count = options.quick ? QUICK_MESSAGES : MESSAGES;
  const reason = options.servers.includes('dovecot') ? whyWithoutDovecot() : 'Dovecot is not among the --servers';
  const ours = options.servers.filter((name) => OURS.includes(name));
  const names = reason === undefined ? [...ours, 'dovecot' as const] : ours;
  const times = new Map(names.map((name): [Pop3ServerName, Times] => [name, { cold: [], warm: [], uidl: [] }]));
  const failures = new Map<Pop3ServerName, string>();
  await using servers = new AsyncDisposableStack();
  const started = new Map<Pop3ServerName, Subject>();
  for (const name of names) {
    const mailboxes = join(setting.folder, `o-${name}`);
    // The first mailbox warms the server up, so that a round measures the second one alone.
    for (const user of [0, 1]) writeMailbox(mailboxFolder(mailboxes, user), { count, octets: OCTETS });
    try {
      const server =
        name === 'dovecot'
          ? await startDovecot(mailboxes)
          : await startPop3Server(name, { ...setting, mailboxes, work: 'o', mailbox: { count, octets: OCTETS } });
      servers.use(server);
      await open(server.port, 0, count);
      started.set(name, { port: server.port, folder: mailboxFolder(mailboxes, 1) });
    } catch (error) {
      failures.set(name, (error as Error).message);
    }
  }
  for (let round = 0; round < options.rounds; round++) {
    const order = [...started];
    // Every second round runs in the opposite order: no server is always the first.
    for (const [name, { port, folder }] of round % 2 === 0 ? order : order.reverse()) {
      const seen = times.get(name);
      if (seen === undefined) continue;
      try {
        removeIndexes(folder);
        const cold = await open(port, 1, count);
        const warm = await open(port, 1, count);
        seen.cold.push(cold.stat);
        seen.warm.push(warm.stat);
        seen.uidl.push(warm.uidl);
        progress(
          `o ${round + 1}/${options.rounds} ${name}: cold ${cold.stat.toFixed(0)} ms, warm ${warm.stat.toFixed(0)} ms`,
        );
      } catch (error) {
        failures.set(name, (error as Error).message);
        started.delete(name);
        progress(`o ${round + 1}/${options.rounds} ${name} failed: ${(error as Error).message}`);
      }
    }
  }
  console.log(`\n${report(count, times)}`);
  if (reason !== undefined) console.log(`o has no comparison: ${reason}`);
  for (const [name, failure] of failures) console.log(`FAILED ${name}: ${failure}`);
  failOn(failures);
}

/** A server that listens, and the Maildir that the rounds open. */
interface Subject {
  readonly port: number;
  readonly folder: string;
}

/** Milliseconds, one for each round: to the reply of STAT, and of UIDL alone. */
interface Times {
  readonly cold: number[];
  readonly warm: number[];
  readonly uidl: number[];
}

function report(count: number, times: ReadonlyMap<Pop3ServerName, Times>): string {
  const dovecot = times.get('dovecot');
  const rows = Array.from(times, ([name, seen]) => [
    name,
    ...(['cold', 'warm', 'uidl'] as const).flatMap((kind) => {
      const cell = formatSpread(spread(seen[kind]), 1);
      if (kind === 'uidl') return [cell];
      if (name === 'dovecot' || dovecot === undefined) return [cell, '–', '–'];
      const compared = spread(ratios(seen[kind], dovecot[kind]));
      return [cell, ratio(compared), verdictAtMost(compared, MAX_RATIO)];
    }),
  ]);
  const header = [`o ms to open ${count} messages`, 'cold', 'of Dovecot', 'asked', 'warm', 'of Dovecot', 'asked'];
  return table([...header, 'UIDL of all'], rows);
}

/** Opens the mailbox of a user and returns the milliseconds that it took. */
async function open(port: number, user: number, count: number): Promise<{ stat: number; uidl: number }> {
  using client = await Pop3Client.connect(port);
  const begin = performance.now();
  await client.logIn(userName(user));
  const status = await client.say('STAT');
  const opened = performance.now();
  const expected = `+OK ${count} ${count * OCTETS}\r\n`;
  if (status !== expected) throw new Error(`STAT: expected ${expected.trimEnd()}, heard ${status.trimEnd()}`);
  await client.sayMultiline('UIDL');
  const listed = performance.now();
  await client.quit();
  return { stat: opened - begin, uidl: listed - opened };
}

/** Dovecot gets files of a user that is not root. */
async function startDovecot(mailboxes: string): Promise<Dovecot> {
  const { uid, gid } = Dovecot.owner;
  for (const name of ['', ...readdirSync(mailboxes, { recursive: true, encoding: 'utf8' })]) {
    chownSync(join(mailboxes, name), uid, gid);
  }
  return await Dovecot.start(mailboxes);
}

const OURS: readonly Pop3ServerName[] = ['command', 'library'];

/** How often the time of Dovecot is permitted. */
const MAX_RATIO = 2;

const MESSAGES = 20_000;
const QUICK_MESSAGES = 4_000;

const OCTETS = 2048;
