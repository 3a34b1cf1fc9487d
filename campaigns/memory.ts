// npm run memory -- [--seconds N] [--heap MIB]
// Floods a server that has a small heap with all that makes it keep memory. Fails where the server
// dies, or where it takes no message from another client meanwhile.
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { startChild } from './child.ts';
import { LineClient } from './line-client.ts';
import { startPostern } from './processes.ts';

/** How many connections each kind of flood holds. */
const FLOODS: readonly (readonly [kind: string, connections: number])[] = [
  ['recipients', 150],
  ['header', 100],
  ['idle', 500],
  ['logins', 50],
  ['EHLO', 20],
  ['BDAT', 20],
];

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { seconds: { type: 'string', default: '20' }, heap: { type: 'string', default: '256' } },
  });
  const [seconds, heap] = [Number(values.seconds), Number(values.heap)];
  if (!(seconds > 0)) throw new Error(`--seconds: expected a number above 0, not ${values.seconds}`);
  if (!(heap >= 64)) throw new Error(`--heap: expected a number from 64, not ${values.heap}`);
  // No flood logs in to POP3, so no Maildir is made.
  process.env['MAILDIRS'] = tmpdir();
  await using server = await startPostern(['--config', new URL('latency.config.ts', import.meta.url).pathname], {
    nodeOptions: [`--max-old-space-size=${heap}`],
  });
  let end: number | string | null | undefined;
  void server.ended.then((how) => {
    end = how;
  });
  const idle = residentMiB(server.pid);
  const flooders = await Promise.all(
    FLOODS.map(([kind, connections]) =>
      startChild(new URL('latency/flooder.ts', import.meta.url), [kind, server.port, connections]),
    ),
  );
  const until = Date.now() + seconds * 1_000;
  let messages = 0;
  let most = idle;
  try {
    while (Date.now() < until && end === undefined) {
      await sendMessage(server.port);
      messages += 1;
      most = Math.max(most, residentMiB(server.pid));
    }
  } finally {
    await Promise.all(flooders.map((flooder) => flooder.stop()));
  }
  console.log(`${messages} messages of another client; memory ${idle} MiB idle, at most ${most} MiB`);
  if (end !== undefined) throw new Error(`the server ended with ${end}`);
  if (messages === 0) throw new Error('the server took no message');
}

/** Rejects where the server does not take it. */
async function sendMessage(port: number): Promise<void> {
  using client = await LineClient.connect(port, '127.1.0.1');
  const commands = ['EHLO x.example.com', 'MAIL FROM:<a@example.com>', 'RCPT TO:<b@example.com>', 'DATA', 'Hi\r\n.'];
  for (const command of commands) {
    const reply = await client.say(command);
    if (!/^[23]/.test(reply)) throw new Error(`${command}: ${reply}`);
  }
}

function residentMiB(pid: number): number {
  const [, kib = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1024);
}

await main();
