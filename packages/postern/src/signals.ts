import type { CommandProcess } from './command-process.ts';
import { type FileSettings, readsFilesAgain } from './settings.ts';

/**
 * Resolves to the first signal that ends the server: SIGTERM, SIGINT, or SIGHUP where no file can
 * be reloaded. From this call on, the first signal does not end the process. A signal that arrives
 * more than {@link SAME_KEY_PRESS_MS} milliseconds after the first calls `beforeExit` and ends the
 * process: a terminal and npm both pass one Ctrl-C on, so that it arrives two or three times.
 */
export function firstSignal(
  process: Pick<CommandProcess, 'on' | 'exit'>,
  settings: FileSettings,
  beforeExit: () => void = () => {},
): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let first: number | undefined;
  for (const signal of endSignals(settings)) {
    process.on(signal, () => {
      first ??= performance.now();
      resolve(signal);
      if (performance.now() - first <= SAME_KEY_PRESS_MS) return;
      beforeExit();
      process.exit(1);
    });
  }
  return promise;
}

/**
 * Resolves when the npm that started this process has ended; never if npm did not start it. npm
 * passes SIGTERM only to its shell: the shell would end, and the server would continue.
 */
export function npmEnded(
  process: Pick<CommandProcess, 'env' | 'ppid'>,
  interval = CHECK_INTERVAL_MS,
): Promise<'npm ended'> {
  const { promise, resolve } = Promise.withResolvers<'npm ended'>();
  if (process.env['npm_lifecycle_event'] === undefined) return promise;
  const parent = process.ppid;
  const timer = setInterval(() => {
    // The system gives a process whose parent has ended another parent.
    if (process.ppid === parent) return;
    clearInterval(timer);
    resolve('npm ended');
  }, interval);
  timer.unref();
  return promise;
}

/** SIGHUP reloads files. Without such files, SIGHUP says that the terminal is closed. */
function endSignals(settings: FileSettings): readonly NodeJS.Signals[] {
  return readsFilesAgain(settings) ? ['SIGTERM', 'SIGINT'] : ['SIGTERM', 'SIGINT', 'SIGHUP'];
}

const SAME_KEY_PRESS_MS = 1_000;
const CHECK_INTERVAL_MS = 500;
