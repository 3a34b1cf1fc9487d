import { setTimeout } from 'node:timers/promises';
import type { CommandProcess } from './command-process.ts';
import { firstAddresses } from './first-addresses.ts';
import { firstMessage } from './first-message.ts';
import { type Log, openLog } from './log.ts';
import { npmEnded } from './npm-parent.ts';
import { printerTo } from './print.ts';
import { readSettings } from './read-settings.ts';
import { type Server, startServer } from './serve.ts';
import { readsFilesAgain, type Settings } from './settings.ts';
import { firstSignal } from './signals.ts';
import { waitingMessage } from './waiting-message.ts';
import type { Ready } from './worker-config.ts';
import { applyWorkerConfig, receiveWorkerConfig } from './worker-config.ts';
import { Workers } from './workers.ts';

/** `postern serve`: runs until a signal ends it. */
export async function runServe(argv: readonly string[], process: CommandProcess): Promise<number> {
  const supervisor = await receiveWorkerConfig();
  const settings = await readSettings(argv);
  const log = openLog(settings.log, process.stderr);
  if (supervisor === undefined && settings.workers > 1) return await supervise(argv, settings, log, process);
  if (supervisor === undefined) return await serve(settings, log, process);

  // From before the first client comes: none is dropped without a word.
  const signal = firstSignal(process, settings);
  const starting = start(applyWorkerConfig(settings, supervisor.orders), log, process);
  const server = await Promise.race([starting, signal]);
  if (typeof server === 'string') return await end(starting, log, server);
  // Without its supervisor it stops.
  const stop = Promise.race([signal, supervisor.leave('disconnect')]);
  supervisor.tell(readyOf(server));
  return await end(starting, log, await stop);
}

async function serve(settings: Settings, log: Log, process: CommandProcess): Promise<number> {
  const signal = Promise.race([firstSignal(process, settings), npmEnded(process)]);
  const starting = start(settings, log, process);
  const server = await Promise.race([starting, signal]);
  if (typeof server !== 'string') void announce(settings, readyOf(server), log, process);
  return await end(starting, log, await signal);
}

/** Has others serve. */
async function supervise(
  argv: readonly string[],
  settings: Settings,
  log: Log,
  process: CommandProcess,
): Promise<number> {
  const workers = new Workers(argv, settings, log);
  const stop = Promise.race([firstSignal(process, settings, () => workers.kill()), npmEnded(process)]);
  if (readsFilesAgain(settings)) process.on('SIGHUP', () => workers.reload());
  const ready = await Promise.race([workers.start(settings.workers), stop]);
  if (typeof ready !== 'string') void announce(settings, ready, log, process);
  const signal = await stop;
  log.info('stopping', { signal });
  await workers.stop();
  log.info('stopped');
  return 0;
}

async function start(settings: Settings, log: Log, process: CommandProcess): Promise<Server> {
  const print = printerTo(process.stdout);
  const { hostname, recipientDelimiter } = settings;
  const server = startServer(settings, { log, print, hostname, recipientDelimiter });
  if (readsFilesAgain(settings)) process.on('SIGHUP', () => void reload(server, log));
  return await server;
}

function readyOf({ listeners }: Server): Ready {
  return { urls: listeners.map(({ url }) => url), ports: listeners.map(({ address }) => address.port) };
}

/** Does not reject: that nobody may be there to read it is no reason not to serve. */
async function announce(
  settings: Settings,
  { urls, ports }: Ready,
  log: Log,
  { stdout }: CommandProcess,
): Promise<void> {
  const { demoUser, listeners } = settings;
  const print = printerTo(stdout);
  try {
    await print(urls.map((url) => `listening ${url}\n`).join(''));
    const at = listeners.findIndex(({ service }) => service === 'submission');
    const [first, port] = [listeners[at] ?? listeners[0], ports[Math.max(at, 0)]];
    if (demoUser !== undefined && first !== undefined && port !== undefined) {
      await print(firstMessage(first, port, demoUser, firstAddresses(settings, demoUser)));
    }
  } catch (error) {
    log.warn('nothing can be written to the standard output', { error });
  }
}

async function end(starting: Promise<Server>, log: Log, signal: string): Promise<number> {
  log.info('stopping', { signal });
  const server = await Promise.race([starting, setTimeout(START_GRACE, undefined)]);
  if (server !== undefined) await close(server, log, signal);
  log.info('stopped');
  return 0;
}

/** Says for whom the server waits, unless all clients leave at once. */
async function close(server: Server, log: Log, signal: string): Promise<void> {
  const closed = server.close(GRACE);
  const over = await Promise.race([closed.then(() => true), setTimeout(QUIET_CLOSE_MS, false)]);
  const clients = server.listeners.reduce((sum, { connections }) => sum + connections, 0);
  if (!over && clients > 0) log.info(waitingMessage(clients, signal));
  await closed;
}

async function reload(server: Promise<Server>, log: Log): Promise<void> {
  for (const { read, done, failed } of (await server.catch(() => undefined))?.files ?? []) {
    try {
      await read();
      log.info(done);
    } catch (error) {
      log.error(failed, { error });
    }
  }
}

/** A close that takes longer is worth a line in the log. */
const QUIET_CLOSE_MS = 200;
/** Milliseconds. */
const GRACE = 10_000;
/** For a start that is under way: whoever waits for it may wait for ever, and nobody is served yet. */
const START_GRACE = 1_000;
