import { startChild } from '../campaigns/child.ts';
import { type Latency, measure, smtpProber } from '../campaigns/latency/prober.ts';
import { quantile } from '../campaigns/statistics.ts';
import type { Options } from './options.ts';
import { ScriptServer } from './script-server.ts';
import { spread } from './statistics.ts';
import { table } from './table.ts';

/**
 * Work a: 200 clients send wrong passwords of a user with an argon2id hash, each as fast as the
 * server replies. Measures how long NOOP of another client takes, idle and beside them, and how
 * long the server takes to read a small file. The server has all processors: it computes hashes on
 * them.
 */
export async function benchWrongLogins(store: string, { rounds, measure: milliseconds }: Options): Promise<void> {
  const echo = await startChild(new URL('../campaigns/latency/echo.ts', import.meta.url), []);
  const seen: Round[] = [];
  try {
    for (let round = 0; round < rounds; round++) {
      seen.push(await measureRound(store, Number(echo.ready), (2 * milliseconds) / 1000));
      console.error(`a ${round + 1}/${rounds}: p99 ${excess(seen.at(-1) as Round).toFixed(1)} ms over idle`);
    }
  } finally {
    await echo.stop();
  }
  const middle = (value: (round: Round) => number): string => spread(seen.map(value)).median.toFixed(1);
  const over = spread(seen.map(excess));
  const rows = [
    [
      'NOOP',
      ...cells(
        (round) => round.idle.noop.p99,
        (round) => round.loaded.noop.p99,
      ),
    ],
    [
      'echo, without Postern',
      ...cells(
        (round) => round.idle.echo.p99,
        (round) => round.loaded.echo.p99,
      ),
    ],
    [
      'read of a small file',
      ...cells(
        (round) => round.idleRead,
        (round) => round.loadedRead,
      ),
    ],
  ];
  function cells(idle: (round: Round) => number, loaded: (round: Round) => number): string[] {
    return [middle(idle), middle(loaded), middle((round) => loaded(round) - idle(round))];
  }
  console.log(`\n${table([`a p99 in ms beside ${WRONG_LOGINS} wrong logins`, 'idle', 'loaded', 'over idle'], rows)}`);
  console.log(
    `NOOP over idle: ${over.median.toFixed(1)} (${over.min.toFixed(1)}–${over.max.toFixed(1)}) ms, ` +
      `asked: ${verdict(over.median, seen)} at most ${MAX_EXCESS_MS}; ${middle(({ logins }) => logins)} wrong logins/s`,
  );
}

/** A machine on which the echo is late as well permits no judgement of the server. */
function verdict(excessMs: number, seen: readonly Round[]): string {
  if (excessMs <= MAX_EXCESS_MS) return '✓';
  const noise = spread(seen.map(({ loaded }) => loaded.echo.p99)).median;
  return noise > MAX_EXCESS_MS / 2 ? 'no judgement, since the echo is late as well:' : '✗';
}

/** What one server showed. */
interface Round {
  readonly idle: { readonly noop: Latency; readonly echo: Latency };
  readonly loaded: { readonly noop: Latency; readonly echo: Latency };
  /** The p99 of reading a file, in milliseconds. */
  readonly idleRead: number;
  readonly loadedRead: number;
  /** The refused logins in a second. */
  readonly logins: number;
}

async function measureRound(store: string, echoPort: number, seconds: number): Promise<Round> {
  await using server = await ScriptServer.start('users', { args: [store] });
  const both = () => Promise.all([measure(smtpProber(server.port), echoPort, seconds), readTimes(server, seconds)]);
  // The first connections run code that is not optimized yet.
  await both();
  const [idle, idleRead] = await both();
  const begin = performance.now();
  const flooder = await startChild(new URL('../campaigns/latency/flooder.ts', import.meta.url), [
    'logins',
    server.port,
    WRONG_LOGINS,
  ]);
  const [loaded, loadedRead] = await both();
  // Each connection begins with a greeting and the reply to EHLO.
  const replies = Number(await flooder.stop()) - 2 * WRONG_LOGINS;
  const logins = (1000 * replies) / (performance.now() - begin);
  return { idle, loaded, idleRead, loadedRead, logins };
}

/** Reads a file in the server again and again, and returns the p99 of its milliseconds. */
async function readTimes(server: ScriptServer, seconds: number): Promise<number> {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  do times.push(await server.readFileTime());
  while (performance.now() < end);
  return quantile(times, 0.99);
}

function excess({ idle, loaded }: Round): number {
  return loaded.noop.p99 - idle.noop.p99;
}

const WRONG_LOGINS = 200;

const MAX_EXCESS_MS = 20;
