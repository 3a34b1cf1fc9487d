// npm run latency -- [--seconds N] [--only TEXT] [--skip TEXT] [--idle N]
// Measures how long a client waits for NOOP while other clients load the server, and fails where
// that is much longer than on an idle server. The campaign asks an echo server at the same times.
// Where the echo is late too, the machine is slow, and the figures permit no judgement.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startChild } from './child.ts';
import { FLOODS } from './latency/floods.ts';
import { MANY_MAILDIRS, makeMaildirs } from './latency/maildirs.ts';
import { pop3Prober } from './latency/pop3-prober.ts';
import { type Latency, type Measurement, measure, smtpProber } from './latency/prober.ts';
import { startPostern } from './processes.ts';

/**
 * Some load, and how much later than on an idle server 99 of 100 answers may be, in milliseconds.
 */
interface Load {
  readonly name: string;
  readonly floods: readonly (readonly [kind: string, connections: number])[];
  readonly bound: number;
  /** The protocol of the client that waits. Default: SMTP. */
  readonly protocol?: 'smtp' | 'pop3';
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      only: { type: 'string', default: '' },
      skip: { type: 'string' },
      idle: { type: 'string', default: '5000' },
    },
  });
  const [seconds, idle] = [Number(values.seconds), Number(values.idle)];
  if (!(seconds > 0)) throw new Error(`--seconds: expected a number above 0, not ${values.seconds}`);
  if (!(idle >= 1)) throw new Error(`--idle: expected a number from 1, not ${values.idle}`);
  const loads = loadsWith(idle).filter(
    ({ name }) => name.includes(values.only) && !(values.skip !== undefined && name.includes(values.skip)),
  );
  const folder = await mkdtemp(join(tmpdir(), 'postern-latency-'));
  process.env['MAILDIRS'] = folder;
  const echo = await startChild(new URL('latency/echo.ts', import.meta.url), []);
  try {
    if (loads.some(({ protocol }) => protocol === 'pop3')) await makeMaildirs(folder);
    for (const load of loads) {
      let verdict = await judge(load, Number(echo.ready), seconds);
      // A single stall of the machine does not happen a second time.
      if (verdict === 'late') verdict = await judge(load, Number(echo.ready), seconds);
      if (verdict === 'late') process.exitCode = 1;
    }
  } finally {
    await echo.stop();
    await rm(folder, { recursive: true });
  }
}

function loadsWith(idle: number): readonly Load[] {
  return [
    {
      name: `${idle} idle connections, 200 wrong logins`,
      floods: [
        ['idle', idle],
        ['logins', 200],
      ],
      bound: 8,
    },
    ...['EHLO', 'NOOP', 'MAIL', 'BDAT'].map((kind) => ({
      name: `flood of ${kind}, 50 connections`,
      floods: [[kind, 50] as const],
      bound: 20,
    })),
    ...POP3_LOADS,
  ];
}

const POP3_LOADS: readonly Load[] = [
  {
    name: `POP3: flood of NOOP, of LIST of 20,000 messages and of RETR by slow readers`,
    floods: [
      ['POP3 NOOP', 40],
      ['POP3 LIST', MANY_MAILDIRS],
      ['POP3 RETR', 50],
    ],
    bound: 20,
    protocol: 'pop3',
  },
  { name: 'POP3: 1000 logins at a time', floods: [['POP3 logins', 1_000]], bound: 20, protocol: 'pop3' },
];

/**
 * Measures idle, under load, and idle again, on a server of its own. Prints the figures and what
 * they say.
 */
async function judge(load: Load, echoPort: number, seconds: number): Promise<'ok' | 'late' | 'no judgement'> {
  await using server = await startPostern(['--config', new URL('latency.config.ts', import.meta.url).pathname], {
    listeners: 2,
  });
  const [smtp = 0, pop3 = 0] = server.ports;
  const open = load.protocol === 'pop3' ? pop3Prober(pop3) : smtpProber(smtp);
  await measure(open, echoPort, seconds / 5);
  const before = await measure(open, echoPort, seconds);
  const flooders = await Promise.all(
    load.floods.map(([kind, connections]) =>
      startChild(new URL('latency/flooder.ts', import.meta.url), [
        kind,
        FLOODS.get(kind)?.protocol === 'pop3' ? pop3 : smtp,
        connections,
      ]),
    ),
  );
  const loaded = await measure(open, echoPort, seconds);
  const answers = await Promise.all(flooders.map((flooder) => flooder.stop()));
  const after = await measure(open, echoPort, seconds / 2);
  const excess = loaded.noop.p99 - Math.min(before.noop.p99, after.noop.p99);
  const verdict =
    excess <= load.bound ? 'ok' : noiseOf(before, loaded, after) > load.bound / 2 ? 'no judgement' : 'late';
  console.log(`${load.name}: ${answers.reduce<number>((sum, count) => sum + Number(count), 0)} reads of answers`);
  console.log(`  NOOP idle ${shown(before.noop)}, loaded ${shown(loaded.noop)}, idle again ${shown(after.noop)}`);
  console.log(`  echo idle ${shown(before.echo)}, loaded ${shown(loaded.echo)}`);
  console.log(`  p99 ${excess.toFixed(1)} ms over idle, at most ${load.bound}: ${verdict}`);
  return verdict;
}

/**
 * The largest of the times in which the server has no part: NOOP where nothing happens, and the
 * echo under load.
 */
function noiseOf(before: Measurement, loaded: Measurement, after: Measurement): number {
  return Math.max(before.noop.p99, loaded.echo.p99, after.noop.p99);
}

function shown({ p50, p99 }: Latency): string {
  return `p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms`;
}

await main();
