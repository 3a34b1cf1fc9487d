import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { LoadGenerator, type Seen } from './load.ts';
import { type Options, readOptions, type Times } from './options.ts';
import { allowedCores, PosternCommand, rssKib, ServerProcess } from './processes.ts';
import { ratio, type Spread, spread, table } from './statistics.ts';
import { idle, type Rival, type Work, workers, works } from './works.ts';

/** `npm run bench esmtp`: Postern beside npm's smtp-server and a bare node:net responder. */
export async function benchEsmtp(args: string[]): Promise<void> {
  const options = readOptions(args, TIMES);
  using load = new LoadGenerator(options.cores?.load);
  console.log(
    `Node ${process.versions.node} on ${cpus()[0]?.model ?? 'an unknown processor'}; ${options.rounds} rounds of ${options.measure / 1000} s`,
  );
  const rows: string[][] = [];
  for (const work of works.filter(({ id }) => options.wanted(id)))
    rows.push(row(work, await measure(work, load, options)));
  if (rows.length > 0) console.log(`\n${table(HEADER, rows)}`);
  if (options.wanted(idle.id)) await benchIdle(load, options);
  if (options.wanted(workers.id)) await benchWorkers(load, options);
}

/** The rate of each server in each round. */
type Rates = ReadonlyMap<string, readonly number[]>;

/** Measures each server in turn, round by round: other work on the machine delays all of them. */
async function measure(work: Work, load: LoadGenerator, options: Options): Promise<Rates> {
  const servers = options.servers.filter((name) => !work.without?.includes(name as Rival));
  const rates = new Map(servers.map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const [name, ofServer] of rates) {
      const seen = await measureOnce(name, work, load, options);
      ofServer.push(rate(work, seen));
      progress(`${work.id} ${round + 1}/${options.rounds} ${name}: ${rate(work, seen).toFixed(0)} ${work.unit}`);
    }
  }
  return rates;
}

/** A fresh process each time: what one work did to the optimizer's mind is no part of the next. */
async function measureOnce(
  name: string,
  work: Work,
  load: LoadGenerator,
  { cores, warmUp, measure, profile }: Options,
): Promise<Seen> {
  const nodeOptions =
    profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${work.id}-${name}.cpuprofile`];
  await using server = await ServerProcess.start(name, cores, nodeOptions);
  const seen = await load.run(work, server.port, server.pid, warmUp, measure);
  const { messages } = await server.ask('counts');
  if (messages !== seen.allMessages)
    throw new Error(`${name} took ${messages} messages and acknowledged ${seen.allMessages}`);
  if (seen.serverBusy < 0.5)
    progress(`${name} had its core for ${percent(seen.serverBusy)} of the time only: this machine is busy`);
  return seen;
}

/**
 * Returns the rate in a second of the server's processor time, which other work does not change.
 */
function rate({ unit }: Work, seen: Seen): number {
  const seconds = seen.seconds * seen.serverBusy;
  switch (unit) {
    case 'messages/s':
      return seen.messages / seconds;
    case 'MiB/s':
      return seen.bytes / seconds / 2 ** 20;
    default:
      return seen.sessions / seconds;
  }
}

const HEADER = ['work', 'Postern', 'smtp-server', 'bare', 'unit', 'of bare', 'asked', 'of smtp-server', 'asked'];

function row({ id, title, unit, asked }: Work, rates: Rates): string[] {
  const middle = (name: string): string => {
    const numbers = rates.get(name);
    return numbers === undefined ? '–' : Math.round(spread(numbers).median).toLocaleString('en');
  };
  const against = (rival: Rival): string[] => {
    const ratios = ratiosOf(rates, rival);
    return [
      ratios === undefined ? '–' : ratio(ratios),
      asked[rival] === undefined ? '–' : `${verdict(ratios, asked[rival])}${asked[rival]}`,
    ];
  };
  return [
    `${id} ${title}`,
    middle('postern'),
    middle('smtp-server'),
    middle('bare'),
    unit,
    ...against('bare'),
    ...against('smtp-server'),
  ];
}

function verdict(ratios: Spread | undefined, asked: number): string {
  if (ratios === undefined) return '';
  return ratios.median >= asked ? '✓ ' : '✗ ';
}

/** Compares round by round, so that a slow moment of the machine is in both numbers. */
function ratiosOf(rates: Rates, rival: Rival): Spread | undefined {
  const ours = rates.get('postern');
  const theirs = rates.get(rival);
  if (ours === undefined || theirs === undefined) return undefined;
  return spread(ours.map((rate, round) => rate / (theirs[round] ?? Number.NaN)));
}

/**
 * Work g: measures by how much each connection between the first and the last adds to the memory.
 */
async function benchIdle(load: LoadGenerator, options: Options): Promise<void> {
  if (openFiles() < idle.to + SPARE_FILES) {
    progress(`${idle.id} is left out: it needs more than ${idle.to} open files, see ulimit -Hn`);
    return;
  }
  const sizes = new Map(options.servers.map((name): [string, number[]] => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const [name, ofServer] of sizes) {
      await using server = await ServerProcess.start(name, options.cores);
      const looks: number[] = [];
      await load.hold(server.port, [idle.from, idle.to], async () => {
        await server.ask('collect');
        looks.push(rssKib(server.pid));
      });
      const [first = Number.NaN, last = Number.NaN] = looks;
      const kib = (last - first) / (idle.to - idle.from);
      ofServer.push(kib);
      progress(`${idle.id} ${round + 1}/${options.rounds} ${name}: ${kib.toFixed(1)} KiB`);
    }
  }
  const rows = Array.from(sizes, ([name, kib]) => {
    const ours = sizes.get('postern');
    const { asked } = idle;
    const compared =
      ours !== undefined && name in asked
        ? ratio(spread(ours.map((size, round) => size / (kib[round] ?? Number.NaN))))
        : '–';
    const limit =
      name === 'postern' ? `at most ${idle.kib} KiB` : name in asked ? `at most ${asked[name as Rival]}` : '–';
    return [name, ratio(spread(kib)), compared, limit];
  });
  console.log(`\n${table([`${idle.id} ${idle.title}`, 'KiB', 'Postern, times this', 'asked'], rows)}`);
}

/** Work h, by the clock on the wall: Postern beside itself, with one worker and with several. */
async function benchWorkers(load: LoadGenerator, { cores, rounds, warmUp, measure }: Options): Promise<void> {
  const others = allowedCores().filter((core) => core !== cores?.load);
  const asked = workers.asked.find((one) => one.workers <= others.length);
  const work = works.find(({ id }) => id === workers.work);
  if (asked === undefined || work === undefined) {
    progress(`${workers.id} is left out: there are not enough cores`);
    return;
  }
  const rates = { one: [] as number[], several: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const name of ['one', 'several'] as const) {
      const count = name === 'one' ? 1 : asked.workers;
      await using server = await PosternCommand.start(count, cores && others.slice(0, count));
      const seen = await load.run(work, server.port, 0, warmUp, measure);
      rates[name].push(seen.messages / seen.seconds);
      progress(
        `${workers.id} ${round + 1}/${rounds} ${count}: ${(seen.messages / seen.seconds).toFixed(0)} ${work.unit}`,
      );
    }
  }
  const times = spread(rates.several.map((rate, round) => rate / (rates.one[round] ?? Number.NaN)));
  const rows = [
    ['1', Math.round(spread(rates.one).median).toLocaleString('en'), '–', '–'],
    [
      String(asked.workers),
      Math.round(spread(rates.several).median).toLocaleString('en'),
      ratio(times),
      `${verdict(times, asked.times)}${asked.times}`,
    ],
  ];
  console.log(`\n${table([`${workers.id} ${workers.title}`, work.unit, 'times one', 'asked'], rows)}`);
}

/** How many files a process may open here. */
function openFiles(): number {
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === 'unlimited' ? Number.POSITIVE_INFINITY : Number(limit);
}

/** What a process has open beside its connections. */
const SPARE_FILES = 100;

function percent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** To stderr: the tables alone go to stdout. */
function progress(text: string): void {
  console.error(text);
}

const TIMES: Times = { measure: 2, warmUp: 3 };
