import type { CommandProcess } from './command-process.ts';
import { type FileSettings, readsFilesAgain } from './settings.ts';

/**
 * Resolves when the first signal comes that ends the server. From now on none ends the process by itself, at no moment; a second one
 * does, after what is to be done before. One Ctrl-C arrives two or three times, since the terminal and npm both pass it on: only a later
 * one counts.
 */
export function firstSignal(
  process: Pick<CommandProcess, 'on' | 'exit'>,
  settings: FileSettings,
  beforeExit: () => void = () => {},
): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let first: number | undefined;
  for (const signal of ending(settings)) {
    process.on(signal, () => {
      first ??= performance.now();
      resolve(signal);
      if (performance.now() - first <= SAME_KEY_PRESS) return;
      beforeExit();
      process.exit(1);
    });
  }
  return promise;
}

/** SIGHUP is for files to be read again; where there are none it is the terminal's, which goes. */
function ending(settings: FileSettings): readonly NodeJS.Signals[] {
  return readsFilesAgain(settings) ? ['SIGTERM', 'SIGINT'] : ['SIGTERM', 'SIGINT', 'SIGHUP'];
}

/** Milliseconds. */
const SAME_KEY_PRESS = 1_000;
