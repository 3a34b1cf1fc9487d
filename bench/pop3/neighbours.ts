import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startChild } from '../../campaigns/child.ts';
import { quantile } from '../../campaigns/statistics.ts';
import { failOn, progress } from '../progress.ts';
import { spread } from '../statistics.ts';
import { table } from '../table.ts';
import { Pop3Client } from './client.ts';
import { removeIndexes, writeMailbox } from './mailbox-files.ts';
import type { Pop3Options } from './options.ts';
import { mailboxFolder, type Pop3Setting, startPop3Server, userName } from './servers.ts';

/**
 * Work n: how long NOOP of a session takes while another client opens a mailbox of many messages,
 * again and again. An echo server beside it shows the noise of the machine.
 */
export async function benchNeighbours(options: Pop3Options, setting: Pop3Setting): Promise<void> {
  const count = options.quick ? QUICK_MESSAGES : MESSAGES;
  const mailbox = { count, octets: 2048 };
  const names = options.servers.filter((name) => name === 'command' || name === 'library');
  const echo = await startChild(new URL('../../campaigns/latency/echo.ts', import.meta.url), []);
  try {
    for (const name of names) {
      const mailboxes = join(setting.folder, `n-${name}`);
      writeMailbox(mailboxFolder(mailboxes, 0), mailbox);
      writeMailbox(mailboxFolder(mailboxes, 1), { count: 1, octets: 2048 });
      try {
        await using server = await startPop3Server(name, { ...setting, mailboxes, work: 'n', mailbox });
        const folder = mailboxFolder(mailboxes, 0);
        const seconds = options.quick ? 1 : options.rounds;
        await measure(server.port, Number(echo.ready), seconds, () => openCold(server.port, folder));
        const idle = await measure(server.port, Number(echo.ready), seconds, () => pause(100));
        const loaded = await measure(server.port, Number(echo.ready), seconds, () => openCold(server.port, folder));
        const warm = await measure(server.port, Number(echo.ready), seconds, () => openOnce(server.port));
        console.log(`\n${report(name, count, [idle, loaded, warm])}`);
        const over = p99(loaded.noop) - p99(idle.noop);
        console.log(`NOOP over idle: ${over.toFixed(1)} ms, asked: ${verdict(over, loaded)} at most ${MAX_EXCESS_MS}`);
      } catch (error) {
        const reason = (error as Error).message;
        console.log(`\nFAILED n ${name}: ${reason}`);
        failOn(new Map([[name, reason]]));
      }
    }
  } finally {
    await echo.stop();
  }
}

/** Milliseconds of NOOP and of the echo, and how often the other client has opened its mailbox. */
interface Latencies {
  readonly noop: number[];
  readonly echo: number[];
  readonly openings: number;
}

async function measure(
  port: number,
  echoPort: number,
  seconds: number,
  open: () => Promise<unknown>,
): Promise<Latencies> {
  const [noop, echo]: [number[], number[]] = [[], []];
  let openings = 0;
  const end = performance.now() + seconds * 1000;
  const opening = (async () => {
    for (; performance.now() < end; openings++) await open();
  })();
  using prober = await Pop3Client.connect(port);
  using other = await Pop3Client.echo(echoPort);
  await prober.logIn(userName(1));
  const probing = (async () => {
    for (; performance.now() < end; await pause(PAUSE_MS)) {
      noop.push(await timed(() => prober.say('NOOP')));
      echo.push(await timed(() => other.say('+OK')));
    }
  })();
  await Promise.all([opening, probing]);
  await prober.quit();
  progress(`n ${openings} openings, NOOP p99 ${p99(noop).toFixed(1)} ms, echo p99 ${p99(echo).toFixed(1)} ms`);
  return { noop, echo, openings };
}

async function openCold(port: number, folder: string): Promise<void> {
  removeIndexes(folder);
  await openOnce(port);
}

async function openOnce(port: number): Promise<void> {
  using client = await Pop3Client.connect(port);
  await client.logIn(userName(0));
  await client.say('STAT');
  await client.quit();
}

async function timed(question: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await question();
  return performance.now() - start;
}

function report(name: string, count: number, seen: readonly Latencies[]): string {
  const cell = (times: readonly number[]): string => {
    const { median, max } = spread(times);
    return `${median.toFixed(1)} / ${p99(times).toFixed(1)} / ${max.toFixed(1)}`;
  };
  const title = `n ${name}: p50 / p99 / greatest, ms`;
  return table(
    [title, 'idle', `cold openings of ${count}`, 'warm openings'],
    [
      ['NOOP', ...seen.map(({ noop }) => cell(noop))],
      ['echo, without Postern', ...seen.map(({ echo }) => cell(echo))],
      ['openings', ...seen.map(({ openings }) => String(openings))],
    ],
  );
}

function p99(times: readonly number[]): number {
  return quantile(times, 0.99);
}

/** A machine on which the echo is late as well permits no judgement of the server. */
function verdict(excessMs: number, { echo }: Latencies): string {
  if (excessMs <= MAX_EXCESS_MS) return '✓';
  return p99(echo) > MAX_EXCESS_MS / 2 ? 'no judgement, since the echo is late as well:' : '✗';
}

const MAX_EXCESS_MS = 20;
const PAUSE_MS = 2;
const MESSAGES = 20_000;
const QUICK_MESSAGES = 4_000;
