import { firstMessage } from './first-message.ts';
import { type Log, openLog } from './log.ts';
import { printOut } from './print.ts';
import { readSettings } from './read-settings.ts';
import { type Server, startServer } from './serve.ts';

/** `postern serve`: runs until a signal ends it. */
export async function runServe(argv: readonly string[]): Promise<number> {
  const settings = await readSettings(argv);
  const log = openLog(settings.log);
  const server = await startServer(settings, { log, print: printOut, hostname: settings.hostname });
  // Before the line that says that it is ready: who reads that may send signals.
  const stop = firstSignal();
  if (settings.tls !== undefined) process.on('SIGHUP', () => void reload(server, log));
  await printOut(server.listeners.map(({ url }) => `listening ${url}\n`).join(''));
  const [settingsOfFirst, first] = [settings.listeners[0], server.listeners[0]];
  if (settings.guest !== undefined && settingsOfFirst !== undefined && first !== undefined) {
    await printOut(firstMessage(settingsOfFirst, first.address.port, settings.guest));
  }

  const signal = await stop;
  log.info('stopping', { signal });
  endAtSecondSignal();
  await server.close(GRACE);
  log.info('stopped');
  // A checker of the operator's own may hold connections of which nobody here knows.
  process.exit(0);
}

async function reload(server: Server, log: Log): Promise<void> {
  try {
    await server.reloadCertificate();
    log.info('certificate read again');
  } catch (error) {
    log.error('the certificate cannot be used, the old one stays', { error });
  }
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ENDING) process.once(signal, resolve);
  });
}

/** One Ctrl-C arrives two or three times, since the terminal and npm both pass it on: only a later one counts. */
function endAtSecondSignal(): void {
  const first = performance.now();
  for (const signal of ENDING) {
    process.on(signal, () => {
      if (performance.now() - first > SAME_KEY_PRESS) process.exit(1);
    });
  }
}

const ENDING = ['SIGTERM', 'SIGINT'] as const;

/** Milliseconds. */
const GRACE = 10_000;
const SAME_KEY_PRESS = 1_000;
