import type { Settings } from './settings.ts';

/** Resolves when the first signal comes that ends the server. */
export function firstSignal(settings: Pick<Settings, 'tls'>): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ending(settings)) process.once(signal, resolve);
  });
}

/** One Ctrl-C arrives two or three times, since the terminal and npm both pass it on: only a later one counts. */
export function endAtSecondSignal(settings: Pick<Settings, 'tls'>, before: () => void = () => {}): void {
  const first = performance.now();
  for (const signal of ending(settings)) {
    process.on(signal, () => {
      if (performance.now() - first <= SAME_KEY_PRESS) return;
      before();
      process.exit(1);
    });
  }
}

/** SIGHUP is for the certificate; where there is none it is the terminal's, which goes. */
function ending({ tls }: Pick<Settings, 'tls'>): readonly NodeJS.Signals[] {
  return tls === undefined ? ['SIGTERM', 'SIGINT', 'SIGHUP'] : ['SIGTERM', 'SIGINT'];
}

/** Milliseconds. */
const SAME_KEY_PRESS = 1_000;
