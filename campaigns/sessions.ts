// npm run fuzz:sessions -- [--sessions N] [--seed S]
// Runs random sessions against `postern serve` over sockets. Each command gets one reply of the
// right form, nothing sent in the clear behind STARTTLS is answered, the server lives on, its log
// holds no secret and no fault of its own.
import { randomInt } from 'node:crypto';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { certificateFiles } from '../test/support/certificates.ts';
import { Random } from './fuzz/random.ts';
import { LineClient } from './line-client.ts';
import { logFaults } from './log-faults.ts';
import { type PosternProcess, startPostern } from './processes.ts';
import { makeScript, SECRETS } from './sessions/grammar.ts';
import { runSession } from './sessions/session.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      sessions: { type: 'string', default: '50000' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
    },
  });
  const [sessions, seed] = [Number(values.sessions), Number(values.seed)];
  if (!(sessions >= 1)) throw new Error(`--sessions: expected a number from 1, not ${values.sessions}`);
  if (!Number.isInteger(seed)) throw new Error(`--seed: expected an integer, not ${values.seed}`);
  const folder = await mkdtemp(join(tmpdir(), 'postern-sessions-'));
  try {
    console.log(`seed ${seed}`);
    const faults = await campaign(folder, sessions, seed);
    console.log(`${sessions} sessions, ${faults} faults`);
    process.exitCode = faults === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Resolves to the number of faults, each of which is printed. */
async function campaign(folder: string, sessions: number, seed: number): Promise<number> {
  const { cert, key } = await certificateFiles(folder);
  const logFile = join(folder, 'log');
  const log = await open(logFile, 'w');
  const config = new URL('sessions.config.ts', import.meta.url).pathname;
  Object.assign(process.env, { CERT: cert, KEY: key });
  let faults = 0;
  {
    await using server = await startPostern(['--config', config], { stderr: log.fd, listeners: 3 });
    let next = 0;
    const client = async (): Promise<void> => {
      for (let index = next++; index < sessions && faults < MAX_FAULTS; index = next++) {
        if (!(await session(server, seed + index))) faults += 1;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    faults += await checkAlive(server);
  }
  await log.close();
  const found = await logFaults(logFile, SECRETS);
  for (const fault of found.slice(0, MAX_FAULTS)) console.error(`in the log: ${fault}`);
  return faults + found.length;
}

/**
 * Runs one session. Resolves to false, and prints the fault and the script, if it does not go by
 * the rules.
 */
async function session({ ports }: PosternProcess, seed: number): Promise<boolean> {
  const random = new Random(seed);
  const listener = random.below(ports.length);
  const isLmtp = listener === LMTP;
  const script = makeScript(random, isLmtp);
  try {
    await runSession(ports[listener] as number, script, isLmtp, random);
    return true;
  } catch (error) {
    console.error(`session ${seed}: ${String(error)}`);
    console.error(`  again: npm run fuzz:sessions -- --sessions 1 --seed ${seed}`);
    console.error(`  ${['submission', 'MX', 'LMTP'][listener]}: ${JSON.stringify(script)}`);
    return false;
  }
}

/** Resolves to the number of faults of a plain session after all others. */
async function checkAlive({ port }: PosternProcess): Promise<number> {
  try {
    using client = await LineClient.connect(port);
    const answer = await client.say('EHLO client.example.org');
    return answer.startsWith('250') ? 0 : 1;
  } catch (error) {
    console.error(`the server does not answer any more: ${String(error)}`);
    return 1;
  }
}

const CLIENTS = 16;
const LMTP = 2;
const MAX_FAULTS = 10;

await main();
