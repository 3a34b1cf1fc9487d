// npm run soak -- [--minutes N]
// Runs a submission server that relays and an MX with Maildirs under mixed load: good clients,
// guessers, slow and silent clients, floods, broken handshakes, a next server and Maildirs with
// faults. Fails if memory or descriptors grow, if an acknowledged message is lost, if a server
// ends, or if a log holds a secret or a fault of the server.
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { certificateFiles, testCertificates } from '../test/support/certificates.ts';
import { startChild } from './child.ts';
import { logFaults } from './log-faults.ts';
import { type PosternProcess, startPostern } from './processes.ts';
import { WRONG_PASSWORD } from './soak/bad-clients.ts';
import { breakMaildirs, changeMoods, sweep } from './soak/faults.ts';
import { type GoodClientOptions, PASSWORD, probe, sendMessages } from './soak/good-clients.ts';
import { Ledger } from './soak/messages.ts';
import { NextServer } from './soak/next-server.ts';
import { readMail } from './soak/pop3-clients.ts';
import { growth, kindsOfDescriptors, type Sample, sample } from './soak/samples.ts';
import { quantile } from './statistics.ts';

/** A server under load, with what is known of it. */
interface Subject {
  readonly name: string;
  readonly process: PosternProcess;
  readonly ledger: Ledger;
  readonly kinds: readonly GoodClientOptions['kind'][];
  /** What the server holds before the load. */
  readonly before: Sample;
  readonly samples: Sample[];
  readonly noops: number[];
  readonly messages: number[];
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '40' } } });
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes: expected a number above 0, not ${values.minutes}`);
  const folder = await mkdtemp(join(tmpdir(), 'postern-soak-'));
  try {
    const faults = await soak(folder, minutes);
    for (const fault of faults) console.error(`FAULT ${fault}`);
    console.log(faults.length === 0 ? 'no growth, no loss, no crash, no secret' : `${faults.length} faults`);
    process.exitCode = faults.length === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Resolves to the faults. */
async function soak(folder: string, minutes: number): Promise<string[]> {
  const { cert, key } = await certificateFiles(folder);
  const { ca } = await testCertificates();
  const maildirs = join(folder, 'maildirs');
  await mkdir(maildirs);
  const next = new NextServer(new Ledger());
  const [relayLedger, maildirLedger] = [next.ledger, new Ledger()];
  Object.assign(process.env, { CERT: cert, KEY: key, MAILDIRS: maildirs, NEXT_PORT: String(await next.listen()) });
  const logs = await Promise.all(['relay', 'maildir'].map((name) => open(join(folder, `${name}.log`), 'w')));
  const faults: string[] = [];
  {
    await using relay = await start('relay', logs[0]?.fd);
    await using maildir = await start('maildir', logs[1]?.fd, 3);
    const subjects: readonly Subject[] = [
      await subject('relay', relay, relayLedger, ['starttls', 'tls']),
      await subject('Maildir', maildir, maildirLedger, ['mx', 'lmtp']),
    ];
    const pop3 = maildir.ports[2] as number;
    const stop = new AbortController();
    const { signal } = stop;
    const badClients = await startChild(new URL('soak/misbehave.ts', import.meta.url), [
      ...relay.ports,
      ...maildir.ports,
    ]);
    const load = Promise.all([
      ...subjects.flatMap((one) => goodClients(one, ca, signal)),
      changeMoods(next, signal),
      breakMaildirs(maildirs, maildir.pid, signal),
      ...['ann', 'bob'].map((user) => readMail({ port: pop3, user, ledger: maildirLedger, signal })),
    ]);
    const ended = Promise.race(subjects.map(async (one) => `${one.name} ended with ${await one.process.ended}`));
    const crash = await Promise.race([ended, load.then(() => undefined), observe(subjects, minutes)]);
    if (crash !== undefined) faults.push(crash);
    stop.abort();
    await badClients.stop();
    await load;
    if (crash === undefined) faults.push(...(await judge(subjects, minutes)));
  }
  await sweep(maildirs, maildirLedger);
  next.close();
  for (const log of logs) await log.close();
  for (const [name, ledger] of [
    ['relay', relayLedger],
    ['Maildir', maildirLedger],
  ] as const) {
    console.log(`${name}: ${ledger.acknowledged} copies acknowledged, ${ledger.missing} lost, ${ledger.torn} torn`);
    if (ledger.missing + ledger.torn > 0) faults.push(`${name}: ${ledger.missing} lost, ${ledger.torn} torn`);
    if (ledger.returned > 0) faults.push(`${name}: ${ledger.returned} returned or with another id`);
    if (ledger.acknowledged === 0) faults.push(`${name}: nothing was acknowledged`);
  }
  for (const name of ['relay', 'maildir']) {
    const found = await logFaults(join(folder, `${name}.log`), SECRETS, { operatorMayErr: true });
    faults.push(...found.slice(0, 5).map((line) => `in the log: ${line}`));
  }
  return faults;
}

/**
 * With gigabytes to spare V8 keeps garbage, and the memory of a process would show garbage only.
 */
const SMALL_HEAP = ['--max-semi-space-size=8', '--max-old-space-size=256'];

function start(name: string, stderr: number | undefined, listeners = 2): Promise<PosternProcess> {
  const config = new URL(`soak/${name}.config.ts`, import.meta.url).pathname;
  return startPostern(['--config', config], { listeners, stderr: stderr ?? 'ignore', nodeOptions: SMALL_HEAP });
}

async function subject(
  name: string,
  process: PosternProcess,
  ledger: Ledger,
  kinds: Subject['kinds'],
): Promise<Subject> {
  const before = await sample(process.pid);
  return { name, process, ledger, kinds, before, samples: [], noops: [], messages: [] };
}

function goodClients(
  { process, ledger, kinds, noops, messages }: Subject,
  ca: string,
  signal: AbortSignal,
): Promise<void>[] {
  const clients = kinds.flatMap((kind, index) =>
    Array.from({ length: GOOD_CLIENTS }, () =>
      sendMessages({ port: process.ports[index] as number, kind, ca, ledger, times: messages, signal }),
    ),
  );
  return [...clients, probe(process.port, noops, signal)];
}

/** Takes a sample a second, and prints an interval's figures twelve times. */
async function observe(subjects: readonly Subject[], minutes: number): Promise<undefined> {
  const seconds = Math.max(INTERVALS, Math.round(minutes * 60));
  for (let interval = 0; interval < INTERVALS; interval++) {
    const begins = Math.floor((interval * seconds) / INTERVALS);
    const ends = Math.floor(((interval + 1) * seconds) / INTERVALS);
    for (let second = begins; second < ends; second++) {
      await pause(1_000);
      for (const { process, samples } of subjects) samples.push(await sample(process.pid));
    }
    for (const one of subjects) print(one, ends, ends - begins);
  }
  return undefined;
}

/** Prints the figures of an interval, and forgets the times in it. */
function print({ name, samples, noops, messages, ledger }: Subject, second: number, count: number): void {
  const latest = samples.slice(-count);
  const mean = (key: keyof Sample): string =>
    (latest.reduce((sum, one) => sum + one[key], 0) / latest.length).toFixed(0);
  const p99 = (times: readonly number[]): string => `${quantile(times, 0.99).toFixed(1)} ms of ${times.length}`;
  console.log(
    `${String(second).padStart(5)} s ${name.padEnd(7)} RSS ${mean('rss')} MiB, anonymous ${mean('anonymous')} MiB, ` +
      `descriptors ${mean('descriptors')}, NOOP p99 ${p99(noops)}, message p99 ${p99(messages)}, ` +
      `acknowledged ${ledger.acknowledged}`,
  );
  noops.length = 0;
  messages.length = 0;
}

/** Resolves to what has grown, and to descriptors that stay open without any client. */
async function judge(subjects: readonly Subject[], minutes: number): Promise<string[]> {
  // In a short run the heap has not found its size yet.
  const bound =
    minutes < 10 ? { factor: 1.3, mebibytes: 64, descriptors: 60 } : { factor: 1.1, mebibytes: 16, descriptors: 20 };
  const faults: string[] = [];
  for (const { name, process, before, samples } of subjects) {
    const { quiet, seconds } = await becomeQuiet(process.pid, before.descriptors + MAX_LEFT_OPEN);
    console.log(
      `quiet after ${seconds} s: ${name} RSS ${quiet.rss.toFixed(0)} MiB, descriptors ${quiet.descriptors}, ` +
        `before the load RSS ${before.rss.toFixed(0)} MiB, descriptors ${before.descriptors}`,
    );
    faults.push(...growth(samples, bound).map((grown) => `${name}: ${grown}`));
    if (quiet.descriptors > before.descriptors + MAX_LEFT_OPEN) {
      faults.push(`${name}: without a client there are ${await kindsOfDescriptors(process.pid)}`);
    }
  }
  return faults;
}

/**
 * Waits until the server has no more than these descriptors, for the time that a client may be
 * silent and some more.
 */
async function becomeQuiet(pid: number, descriptors: number): Promise<{ quiet: Sample; seconds: number }> {
  for (let seconds = 0; ; seconds++) {
    const quiet = await sample(pid);
    if (quiet.descriptors <= descriptors || seconds >= MAX_QUIET_SECONDS) return { quiet, seconds };
    await pause(1_000);
  }
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const SECRETS = [PASSWORD, WRONG_PASSWORD].flatMap((secret) => [secret, base64(secret), base64(`\0ann\0${secret}`)]);
const GOOD_CLIENTS = 3;
const INTERVALS = 12;
const MAX_QUIET_SECONDS = 45;
/**
 * Descriptors that may be open in the end beyond those of the beginning: connections to the next
 * server that wait for a message.
 */
const MAX_LEFT_OPEN = 15;

await main();
