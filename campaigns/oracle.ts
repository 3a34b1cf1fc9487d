// npm run oracle -- [--probes N] [--only TEXT]
// Tries to distinguish users who exist from unknown users by the time of an answer. For each
// mechanism it compares probes of both kinds, in random order, by Welch's t. Without a difference,
// |t| is below 2 in 19 of 20 comparisons. A comparison above 2 counts if a second one is above too.
import { createHash, createHmac, pbkdf2Sync, randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { LineClient } from './line-client.ts';
import { startPostern } from './processes.ts';
import { trimmed, welch } from './statistics.ts';

/** One way to ask: resolves to the milliseconds that the telling answer took. */
interface Probe {
  readonly name: string;
  /** The users that exist; each one is compared with a user that does not. */
  readonly known: readonly string[];
  readonly run: (client: LineClient, user: string) => Promise<number>;
}

const PROBES: readonly Probe[] = [
  { name: 'SCRAM-SHA-256, challenge', known: ['clear', 'stored'], run: scramChallenge },
  { name: 'SCRAM-SHA-256, wrong proof', known: ['clear', 'stored'], run: scramWrongProof },
  { name: 'CRAM-MD5', known: ['clear'], run: cramMd5 },
  { name: 'PLAIN', known: ['clear'], run: (client, user) => timed(client, `AUTH PLAIN ${base64(`\0${user}\0wrong`)}`) },
  { name: 'LOGIN', known: ['clear'], run: login },
];

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { probes: { type: 'string', default: '2000' }, only: { type: 'string' } } });
  const count = Number(values.probes);
  if (!(count >= 2)) throw new Error(`--probes: expected a number from 2, not ${values.probes}`);
  await using server = await startPostern(['--config', new URL('oracle.config.ts', import.meta.url).pathname]);
  let told = 0;
  for (const probe of PROBES) {
    if (values.only !== undefined && !probe.name.includes(values.only)) continue;
    for (const known of probe.known) {
      let t = await compare(server.port, probe, known, count);
      if (Math.abs(t) >= MAX_T) t = await compare(server.port, probe, known, count);
      if (Math.abs(t) >= MAX_T) told += 1;
    }
  }
  console.log(told === 0 ? 'no answer tells who exists' : `${told} answers tell who exists`);
  process.exitCode = told === 0 ? 0 : 1;
}

/** Prints one comparison and resolves to its t. */
async function compare(port: number, probe: Probe, known: string, count: number): Promise<number> {
  const times = new Map<string, number[]>([
    [known, []],
    [NOBODY, []],
  ]);
  // The first probes warm the server up and are thrown away.
  for (let done = -WARM_UP; done < count; ) {
    using client = await LineClient.connect(port);
    await client.say('EHLO client.example.org');
    for (let inSession = 0; inSession < PER_CONNECTION && done < count; inSession += 1, done += 1) {
      for (const user of randomInt(2) === 0 ? [known, NOBODY] : [NOBODY, known]) {
        const time = await probe.run(client, user);
        if (done >= 0) times.get(user)?.push(time);
      }
    }
  }
  const [a, b] = [trimmed(times.get(known) ?? []), trimmed(times.get(NOBODY) ?? [])];
  const t = welch(a, b);
  const means = [a, b].map((sample) => sample.reduce((sum, time) => sum + time, 0) / sample.length);
  const [here, nowhere] = means.map((mean) => `${mean.toFixed(3)} ms`);
  console.log(`${probe.name.padEnd(28)} ${known.padEnd(7)} ${here}  nobody ${nowhere}  t ${t.toFixed(2)}  n ${count}`);
  return t;
}

async function timed(client: LineClient, line: string): Promise<number> {
  const start = performance.now();
  await client.say(line);
  return performance.now() - start;
}

async function scramChallenge(client: LineClient, user: string): Promise<number> {
  const start = performance.now();
  await client.say(`AUTH SCRAM-SHA-256 ${base64(`n,,n=${user},r=${NONCE}`)}`);
  const time = performance.now() - start;
  await client.say('*');
  return time;
}

async function scramWrongProof(client: LineClient, user: string): Promise<number> {
  const bare = `n=${user},r=${NONCE}`;
  const serverFirst = unbase64(await client.say(`AUTH SCRAM-SHA-256 ${base64(`n,,${bare}`)}`));
  const [, nonce, salt, iterations] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? [];
  const salted = wrongPassword(salt ?? '', Number(iterations));
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest();
  const withoutProof = `c=biws,r=${nonce}`;
  const signature = createHmac('sha256', storedKey).update(`${bare},${serverFirst},${withoutProof}`).digest();
  const proof = Buffer.from(clientKey.map((octet, at) => octet ^ (signature[at] ?? 0)));
  return await timed(client, base64(`${withoutProof},p=${proof.toString('base64')}`));
}

async function cramMd5(client: LineClient, user: string): Promise<number> {
  const challenge = unbase64(await client.say('AUTH CRAM-MD5'));
  return await timed(client, base64(`${user} ${createHmac('md5', 'wrong').update(challenge).digest('hex')}`));
}

async function login(client: LineClient, user: string): Promise<number> {
  await client.say('AUTH LOGIN');
  await client.say(base64(user));
  return await timed(client, base64('wrong'));
}

/** Derives the key once for each salt: the measurement must not contain the client's work. */
const salted = new Map<string, Buffer>();
function wrongPassword(salt: string, iterations: number): Buffer {
  const key = salted.get(salt) ?? pbkdf2Sync('wrong', Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
  salted.set(salt, key);
  return key;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** What a 334 says. */
function unbase64(reply: string): string {
  return Buffer.from(reply.slice('334 '.length), 'base64').toString();
}

const NOBODY = 'nobody';
const NONCE = 'fyko+d2lbbFgONRv9qkxdawL';
const MAX_T = 2;
const WARM_UP = 100;
const PER_CONNECTION = 200;

await main();
