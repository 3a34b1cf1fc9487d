import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { skipsPostgres, startPostgres } from '../test/support/postgres.ts';
import { LoadGenerator } from './load.ts';
import { openStore } from './open-store.ts';
import { type Options, readOptions, type Times } from './options.ts';
import { benchPortalLogins } from './portal-logins.ts';
import { rssKib } from './processes.ts';
import { ScriptServer } from './script-server.ts';
import { ratio, spread, verdict } from './statistics.ts';
import { table } from './table.ts';
import { userRecords } from './user-records.ts';
import { benchWrongLogins } from './wrong-logins.ts';

/** `npm run bench users`: wrong logins beside other clients, and the cost of a look-up. */
export async function benchUsers(args: string[]): Promise<void> {
  const options = readOptions(args, TIMES);
  const many = options.quick ? QUICK_USERS : MANY_USERS;
  console.log(
    `Node ${process.versions.node} on ${cpus()[0]?.model ?? 'an unknown processor'}; ${options.rounds} rounds of ${options.measure / 1000} s`,
  );
  const folder = await mkdtemp(join(tmpdir(), 'postern-bench-users-'));
  try {
    const few = `sqlite:${await database(folder, FEW_USERS)}`;
    if (options.wanted('a')) await benchWrongLogins(few, options);
    if (options.wanted('b') || options.wanted('d')) {
      await using postgres = skipsPostgres() ? undefined : await startPostgres();
      const url = `postgres://mail:s3cret@127.0.0.1:${postgres?.port}/mail`;
      if (postgres !== undefined) await fill(url, FEW_USERS);
      const subjects: Subject[] = [
        { name: 'memory', spec: `memory:${FEW_USERS}`, users: FEW_USERS },
        { name: 'SQLite', spec: few, users: FEW_USERS, asked: 0.7 },
      ];
      if (postgres !== undefined) subjects.push({ name: 'PostgreSQL', spec: url, users: FEW_USERS, asked: 0.4 });
      if (options.wanted('b')) await benchLookups('b SCRAM-SHA-256 logins by store', options, subjects);
      if (options.wanted('d')) await benchPortalLogins(subjects, options);
    }
    if (options.wanted('c')) {
      await benchLookups('c SCRAM-SHA-256 logins by users in SQLite', options, [
        { name: FEW_USERS.toLocaleString('en'), spec: few, users: FEW_USERS },
        {
          name: many.toLocaleString('en'),
          spec: `sqlite:${await database(folder, many)}`,
          users: many,
          asked: 1 / MAX_COST_RATIO,
        },
      ]);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A server whose logins are measured. The first one is the measure of the others. */
interface Subject {
  readonly name: string;
  /** The argument of servers/users.ts. */
  readonly spec: string;
  readonly users: number;
  /** The least ratio to the first subject's rate. */
  readonly asked?: number;
}

/** The logins in each second of the server's processor time, and its memory, in each round. */
interface Lookups {
  readonly rates: number[];
  readonly before: number[];
  readonly after: number[];
}

async function benchLookups(title: string, options: Options, subjects: readonly Subject[]): Promise<void> {
  using load = new LoadGenerator(options.cores?.load);
  const seen = subjects.map((subject): [Subject, Lookups] => [subject, { rates: [], before: [], after: [] }]);
  for (let round = 0; round < options.rounds; round++) {
    for (const [{ name, spec, users }, { rates, before, after }] of seen) {
      await using server = await ScriptServer.start('users', { cores: options.cores, args: [spec] });
      const work = { id: 'scram', load: 'scram', connections: 64, users } as const;
      await load.run(work, server, [{ after: options.warmUp, length: options.warmUp }]);
      before.push(rssKib(server.pid) / 1024);
      const { windows } = await load.run(work, server, [{ after: 1, length: options.measure }]);
      after.push(rssKib(server.pid) / 1024);
      rates.push((windows[0]?.sessions ?? 0) / (windows[0]?.cpu[0] ?? 0));
      console.error(`${name} ${round + 1}/${options.rounds}: ${rates.at(-1)?.toFixed(0)} logins/s`);
    }
  }
  const [, first] = seen[0] ?? [];
  const rows = seen.map(([{ name, asked }, { rates, before, after }]) => {
    const ratios = spread(rates.map((rate, round) => rate / (first?.rates[round] ?? Number.NaN)));
    return [
      name,
      Math.round(spread(rates).median).toLocaleString('en'),
      ratio(ratios),
      verdict(ratios, asked),
      ...[before, after].map((sizes) => spread(sizes).median.toFixed(0)),
    ];
  });
  const header = [title, 'logins/s', 'of the first', 'asked', 'RSS before, MiB', 'RSS after'];
  console.log(`\n${table(header, rows)}`);
}

/** Makes a database with this many users, and returns its path. */
async function database(folder: string, count: number): Promise<string> {
  const path = join(folder, `${count}.db`);
  await fill(`sqlite:${path}`, count);
  return path;
}

async function fill(spec: string, count: number): Promise<void> {
  await using store = await openStore(spec);
  await store.addAll(userRecords(count));
}

const TIMES: Times = { measure: 2, warmUp: 2, rounds: 5 };

const FEW_USERS = 1_000;

const MANY_USERS = 1_000_000;

const QUICK_USERS = 20_000;

/** The most that a login with many users may cost, in logins with few users. */
const MAX_COST_RATIO = 1.2;
