import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';
import type { Ask } from '@postern/cred';
import { authenticate } from '@postern/sasl';
import { processorTime, record, replay, type ServerHalf } from './exchanges.ts';
import { Door, type Mechanism, mechanisms } from './mechanisms.ts';
import { mindOf } from './mind.ts';
import { type Options, readOptions, type Times } from './options.ts';
import { ratio, spread } from './statistics.ts';
import { table } from './table.ts';

/** `npm run bench sasl`: the cost of a server's half, beside the hashes that it needs. */
export async function benchSasl(args: string[]): Promise<void> {
  const options = readOptions(args, TIMES);
  // All threads of this process: the collector and the pool would otherwise use other cores.
  if (options.cores !== undefined) {
    spawnSync('taskset', ['-a', '-c', '-p', String(options.cores.server), String(process.pid)]);
  }
  console.log(
    `Node ${process.versions.node} on ${cpus()[0]?.model ?? 'an unknown processor'}; ${options.rounds} rounds of ${options.measure / 1000} s`,
  );
  const rows: string[][] = [];
  for (const mechanism of await mechanisms()) {
    const { mechanism: name } = mechanism.challenger;
    if (options.wanted(name)) rows.push(row(name, await measure(mechanism, options)));
  }
  console.log(`\n${table(HEADER, rows)}`);
}

/** Runs its work `times` times. Resolves with the milliseconds of processor time. */
type Subject = (times: number) => Promise<number> | number;

type Rates = Partial<Record<'verification' | 'login' | 'plainly' | 'fastest', number[]>>;

/** Measures each subject in turn, round by round: other work on the machine delays all of them. */
async function measure(mechanism: Mechanism, { rounds, warmUp, measure }: Options): Promise<Rates> {
  const { responder, bare, tls } = mechanism;
  const recording = await record(verification(mechanism), responder, tls);
  const subjects: Partial<Record<keyof Rates, Subject>> = {
    verification: (times) => replay(times, verification(mechanism), recording),
    login: (times) => replay(times, portalLogin(mechanism), recording),
    ...(bare && { plainly: repeat(bare.plainly), fastest: repeat(bare.fastest) }),
  };
  const rates: Rates = {};
  for (const subject of Object.values(subjects)) await rate(subject, warmUp);
  for (let round = 0; round < rounds; round++) {
    for (const [name, subject] of Object.entries(subjects) as [keyof Rates, Subject][]) {
      rates[name] ??= [];
      rates[name].push(await rate(subject, measure));
    }
  }
  return rates;
}

/** How often in a second. */
async function rate(subject: Subject, milliseconds: number): Promise<number> {
  let times = 0;
  let taken = 0;
  const end = performance.now() + milliseconds;
  do {
    taken += await subject(BATCH);
    times += BATCH;
  } while (performance.now() < end);
  return (times / taken) * 1000;
}

/** Challenger and secret alone: parse, verify, and the closing word. */
function verification({ challenger, verify, tls }: Mechanism): ServerHalf {
  const mind = mindOf(tls);
  return async (initialResponse, ask) => {
    mind.store.clear();
    const credentials = await challenger.challenge(ask, initialResponse, mind);
    const verdict = verify(credentials);
    if (!(typeof verdict === 'boolean' ? verdict : await verdict))
      throw new Error(`${challenger.mechanism} refused the right password`);
    const said = credentials.accepted();
    if (said !== undefined) await said;
  };
}

/** The whole way that a protocol takes: driver, portal, checker, realm, and out again. */
function portalLogin({ challenger, portal, tls }: Mechanism): ServerHalf {
  const mind = mindOf(tls);
  return async (initialResponse: Uint8Array | undefined, ask: Ask) => {
    mind.store.clear();
    const login = await authenticate({ challenger, portal, mind, interfaces: [Door], initialResponse, ask });
    await login.logout();
  };
}

function repeat(work: () => void): Subject {
  return (times) => {
    const begin = processorTime();
    for (let n = 0; n < times; n++) work();
    return processorTime() - begin;
  };
}

const HEADER = [
  'mechanism',
  'verifications/s',
  'portal logins/s',
  'bare/s',
  'fastest bare/s',
  'of bare',
  'of fastest',
  'portal, of bare',
  'asked',
];

function row(name: string, rates: Rates): string[] {
  const middle = (numbers: number[] | undefined): string =>
    numbers === undefined ? '–' : Math.round(spread(numbers).median).toLocaleString('en');
  const of = (ours: number[] = [], theirs: number[] | undefined): string =>
    theirs === undefined ? '–' : ratio(spread(ours.map((rate, round) => rate / (theirs[round] ?? Number.NaN))));
  const { verification, login, plainly, fastest } = rates;
  return [
    name,
    ...[verification, login, plainly, fastest].map(middle),
    of(verification, plainly),
    of(verification, fastest),
    of(login, plainly),
    name === 'SCRAM-SHA-256' ? '0.80' : '–',
  ];
}

/** Enough for some ten thousand exchanges. */
const TIMES: Times = { measure: 1, warmUp: 1, rounds: 5 };

/** Exchanges between two looks at the clock. */
const BATCH = 256;
