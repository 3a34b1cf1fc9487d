// npm run fuzz:sessions -- [--sessions N] [--seed S]
// Runs random sessions against `postern serve` over sockets. Each command gets one reply of the
// right form, nothing sent in the clear behind STARTTLS is answered, the server lives on, its log
// holds no secret and no fault of its own.
import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { certificateFiles } from '../test/support/certificates.ts';
import { Random } from './fuzz/random.ts';
import { LineClient } from './line-client.ts';
import { logFaults } from './log-faults.ts';
import { type PosternProcess, startPostern } from './processes.ts';
import { esmtpSubject } from './sessions/esmtp/subject.ts';
import { pop3Subject } from './sessions/pop3/subject.ts';
import type { PreparedSession, Subject } from './sessions/protocol.ts';
import { FakeBackEnd, imapWords, sieveWords } from './sessions/proxied/back-end.ts';
import { imapSubject, sieveSubject } from './sessions/proxied/subject.ts';
import { SECRETS } from './sessions/secrets.ts';
import { runSession } from './sessions/session.ts';
import { SLOTS } from './sessions/users.ts';

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
  const maildirs = join(folder, 'maildirs');
  await mkdir(maildirs);
  await using imapBackEnd = new FakeBackEnd(imapWords);
  await using sieveBackEnd = new FakeBackEnd(sieveWords);
  const backEnds = { IMAP_BACK_END: await imapBackEnd.listen(), SIEVE_BACK_END: await sieveBackEnd.listen() };
  Object.assign(process.env, { CERT: cert, KEY: key, MAILDIRS: maildirs, ...backEnds });
  const subjects = [...subjectsOf(maildirs), imapSubject(imapBackEnd), sieveSubject(sieveBackEnd)];
  let faults = 0;
  {
    await using server = await startPostern(['--config', config], { stderr: log.fd, listeners: subjects.length });
    let next = 0;
    const client = async (slot: number): Promise<void> => {
      for (let index = next++; index < sessions && faults < MAX_FAULTS; index = next++) {
        if (!(await session(server, subjects, seed + index, slot))) faults += 1;
      }
    };
    await Promise.all(Array.from({ length: SLOTS }, (_, slot) => client(slot)));
    faults += await checkAlive(server);
  }
  await log.close();
  const found = await logFaults(logFile, SECRETS, { expected: '"type":"BackEndUnavailable"' });
  for (const fault of found.slice(0, MAX_FAULTS)) console.error(`in the log: ${fault}`);
  return faults + found.length;
}

/**
 * Runs one session. Resolves to false, and prints the fault and the script, if it does not go by
 * the rules.
 */
async function session(
  { ports }: PosternProcess,
  subjects: readonly Subject[],
  seed: number,
  slot: number,
): Promise<boolean> {
  const random = new Random(seed);
  const index = random.below(subjects.length);
  const [subject, port] = [subjects[index] as Subject, ports[index] as number];
  let prepared: PreparedSession | undefined;
  try {
    prepared = await subject.prepare(random, slot);
    await runSession(port, prepared, random);
    await prepared.check?.(port);
    return true;
  } catch (error) {
    console.error(`session ${seed}: ${String(error)}`);
    console.error(`  again: npm run fuzz:sessions -- --sessions 1 --seed ${seed}`);
    console.error(`  ${subject.name}: ${JSON.stringify(prepared?.script)}`);
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

/** Returns one subject for each of the first listeners of sessions.config.ts, in the same order. */
function subjectsOf(maildirs: string): readonly Subject[] {
  return [esmtpSubject('submission'), esmtpSubject('MX'), esmtpSubject('LMTP', true), pop3Subject(maildirs)];
}

const MAX_FAULTS = 10;

await main();
