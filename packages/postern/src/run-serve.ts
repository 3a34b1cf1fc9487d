import { pid } from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { InheritedSockets } from '@postern/node';
import { type CommandProcess, printerTo } from './command-process.ts';
import { addDemoUser } from './demo-user.ts';
import { firstAddresses, firstMessage, firstReading, usersLine } from './first-message.ts';
import type { JoinedLog, Log } from './log.ts';
import { openLog } from './open-log.ts';
import { type RunningServer, startServer } from './serve.ts';
import { readSettings, readsFilesAgain, type Settings } from './settings.ts';
import { firstSignal, npmEnded } from './signals.ts';
import { applyWorkerConfig, findSupervisor, type Supervisor } from './supervisor.ts';
import { warnOfUnusedSockets } from './unused-sockets.ts';
import type { WorkerReady } from './worker-messages.ts';

/**
 * Runs `postern serve` until a signal ends it. Resolves to the exit code.
 *
 * @throws UsageError or StartError
 */
export async function runServe(argv: readonly string[], process: CommandProcess): Promise<number> {
  const supervisor = await findSupervisor();
  const inherited = InheritedSockets.take({ env: process.env, pid });
  const read = { ...(await readSettings(argv, process.env)), inherited };
  const created = supervisor === undefined ? await addDemoUser(read) : undefined;
  const settings = created === undefined ? read : { ...read, demoUser: created };
  const log = await openLog(settings.log, process.stderr);
  // No end of the process loses a line of the log.
  process.on('exit', log.flush);
  process.on('uncaughtExceptionMonitor', log.flush);
  try {
    if (supervisor === undefined) await warnOfUnusedSockets(settings, log);
    return await runServer(argv, settings, log, process, supervisor);
  } finally {
    // The message of an error is the last line.
    log.flush();
  }
}

/** Serves in this process, in several, or as one of several. */
async function runServer(
  argv: readonly string[],
  settings: Settings,
  log: JoinedLog,
  process: CommandProcess,
  supervisor: Supervisor | undefined,
): Promise<number> {
  if (supervisor === undefined && settings.workers > 1) return await supervise(argv, settings, log, process);
  if (supervisor === undefined) return await serve(settings, log, process);

  // The handlers come before the first client: a signal must not drop clients without a reply.
  const signal = firstSignal(process, settings);
  const starting = start(applyWorkerConfig(settings, supervisor), log, process);
  const server = await Promise.race([starting, signal]);
  if (typeof server === 'string') return await end(starting, settings, log, server);
  // A worker ends with its supervisor.
  const stop = Promise.race([signal, supervisor.ended('disconnect')]);
  supervisor.reportReady(readyOf(server));
  return await end(starting, settings, log, await stop);
}

/** Serves in this process. */
async function serve(settings: Settings, log: JoinedLog, process: CommandProcess): Promise<number> {
  const signal = Promise.race([firstSignal(process, settings), npmEnded(process)]);
  const starting = start(settings, log, process);
  const server = await Promise.race([starting, signal]);
  if (typeof server !== 'string') void announce(settings, readyOf(server), log, process);
  return await end(starting, settings, log, await signal);
}

/** Serves in several processes, which this process supervises. */
async function supervise(
  argv: readonly string[],
  settings: Settings,
  log: JoinedLog,
  process: CommandProcess,
): Promise<number> {
  // Only a supervisor starts processes.
  const { Workers } = await import('./workers.ts');
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

async function start(settings: Settings, log: JoinedLog, process: CommandProcess): Promise<RunningServer> {
  const server = startServer(settings, { log, print: printerTo(process.stdout, log.flush) });
  if (readsFilesAgain(settings)) process.on('SIGHUP', () => void reload(server, log));
  return await server;
}

function readyOf({ listeners }: RunningServer): WorkerReady {
  return { urls: listeners.map(({ url }) => url), ports: listeners.map(({ address }) => address.port) };
}

/**
 * Prints the URLs and the first message. Never rejects: a closed standard output does not stop the
 * server.
 */
async function announce(
  settings: Settings,
  { urls, ports }: WorkerReady,
  log: JoinedLog,
  { stdout }: CommandProcess,
): Promise<void> {
  const { demoUser, defaultDatabase, listeners } = settings;
  const print = printerTo(stdout, log.flush);
  try {
    await print(urls.map((url) => `listening ${url}\n`).join(''));
    const index = Math.max(
      listeners.findIndex(({ service }) => service === 'submission'),
      0,
    );
    const [listener, port] = [listeners[index], ports[index]];
    if (demoUser !== undefined && listener !== undefined && port !== undefined) {
      const addresses = firstAddresses(settings, demoUser);
      await print(firstMessage(listener, port, demoUser, addresses));
      if (addresses.isOwn) await print(firstReading(settings, ports, demoUser));
    }
    if (defaultDatabase !== undefined) await print(usersLine(defaultDatabase, demoUser));
  } catch (error) {
    log.warn('cannot write to the standard output', { error });
  }
}

/**
 * Ends the server, or a start that is not complete after {@link START_END_TIMEOUT_MS}. Resolves to
 * the exit code.
 */
async function end(starting: Promise<RunningServer>, settings: Settings, log: Log, signal: string): Promise<number> {
  log.info('stopping', { signal });
  const server = await Promise.race([starting, setTimeout(START_END_TIMEOUT_MS, undefined)]);
  if (server !== undefined) await close(server, shutdownTimeoutOf(settings), log, signal);
  log.info('stopped');
  return 0;
}

/** Closes the server, and logs the number of clients unless all of them disconnect at once. */
async function close(server: RunningServer, timeout: number, log: Log, signal: string): Promise<void> {
  const closed = server.close(timeout);
  const isClosed = await Promise.race([closed.then(() => true), setTimeout(QUIET_CLOSE_MS, false)]);
  const clients = server.listeners.reduce((sum, { connections }) => sum + connections, 0);
  if (!isClosed && clients > 0) log.info(waitingMessage(clients, signal));
  await closed;
}

function shutdownTimeoutOf({ inherited }: Settings): number {
  return inherited === undefined || inherited.sockets.length === 0
    ? SHUTDOWN_TIMEOUT_MS
    : INHERITED_SHUTDOWN_TIMEOUT_MS;
}

function waitingMessage(clients: number, signal: string): string {
  const waiting = `waiting for ${clients} ${clients === 1 ? 'client' : 'clients'}`;
  return signal === 'SIGINT' ? `${waiting}, Ctrl-C again to end` : waiting;
}

async function reload(server: Promise<RunningServer>, log: Log): Promise<void> {
  const { files = [] } = (await server.catch(() => undefined)) ?? {};
  for (const { read, done, failed } of files) {
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
const SHUTDOWN_TIMEOUT_MS = 10_000;
/**
 * Clients wait at an inherited socket until the next process greets them. Postfix waits 10 seconds
 * for the greeting of an auth server, and refuses all mail for a minute without it.
 */
const INHERITED_SHUTDOWN_TIMEOUT_MS = 6_000;
/** A start may never end, and no client is connected yet. */
const START_END_TIMEOUT_MS = 1_000;
