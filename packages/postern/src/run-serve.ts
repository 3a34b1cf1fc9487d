import { once } from 'node:events';
import { firstMessage } from './first-message.ts';
import { type Log, openLog } from './log.ts';
import { printOut } from './print.ts';
import { readSettings } from './read-settings.ts';
import { type Server, startServer } from './serve.ts';
import type { Settings } from './settings.ts';
import { type Ready, receiveOrders, Workers, withOrders } from './workers.ts';

/** `postern serve`: runs until a signal ends it. */
export async function runServe(argv: readonly string[]): Promise<number> {
  const orders = await receiveOrders();
  const settings = await readSettings(argv);
  const log = openLog(settings.log);
  if (orders !== undefined) return await work(withOrders(settings, orders), log);
  if (settings.workers > 1) return await supervise(argv, settings, log);

  const server = await start(settings, log);
  // Before the line that says that it is ready: who reads that may send signals.
  const stop = firstSignal();
  await announce(settings, readyOf(server));
  return await end(server, log, await stop);
}

/** Serves as one of several processes. Without its supervisor it stops. */
async function work(settings: Settings, log: Log): Promise<number> {
  const server = await start(settings, log);
  const stop = Promise.race([firstSignal(), once(process, 'disconnect').then(() => 'disconnect')]);
  process.send?.(readyOf(server));
  return await end(server, log, await stop);
}

/** Has others serve. */
async function supervise(argv: readonly string[], settings: Settings, log: Log): Promise<number> {
  const workers = new Workers(argv, settings, log);
  const ready = await workers.start(settings.workers);
  const stop = firstSignal();
  process.on('SIGHUP', () => workers.signal('SIGHUP'));
  await announce(settings, ready);
  const signal = await stop;
  log.info('stopping', { signal });
  endAtSecondSignal(() => workers.signal('SIGKILL'));
  await workers.stop();
  log.info('stopped');
  // Another worker may be about to be started.
  process.exit(0);
}

async function start(settings: Settings, log: Log): Promise<Server> {
  const server = await startServer(settings, { log, print: printOut, hostname: settings.hostname });
  if (settings.tls !== undefined) process.on('SIGHUP', () => void reload(server, log));
  return server;
}

function readyOf({ listeners }: Server): Ready {
  return { urls: listeners.map(({ url }) => url), ports: listeners.map(({ address }) => address.port) };
}

async function announce({ guest, listeners }: Settings, { urls, ports }: Ready): Promise<void> {
  await printOut(urls.map((url) => `listening ${url}\n`).join(''));
  const at = listeners.findIndex(({ service }) => service === 'submission');
  const [first, port] = [listeners[at] ?? listeners[0], ports[Math.max(at, 0)]];
  if (guest !== undefined && first !== undefined && port !== undefined) {
    await printOut(firstMessage(first, port, guest));
  }
}

async function end(server: Server, log: Log, signal: string): Promise<number> {
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
function endAtSecondSignal(before: () => void = () => {}): void {
  const first = performance.now();
  for (const signal of ENDING) {
    process.on(signal, () => {
      if (performance.now() - first <= SAME_KEY_PRESS) return;
      before();
      process.exit(1);
    });
  }
}

const ENDING = ['SIGTERM', 'SIGINT'] as const;

/** Milliseconds. */
const GRACE = 10_000;
const SAME_KEY_PRESS = 1_000;
