/** What {@link npmEnded} looks at. */
export interface NpmProcess {
  readonly env: NodeJS.ProcessEnv;
  readonly ppid: number;
}

/**
 * Resolves when the npm that started this process has ended; never if npm did not start it. npm passes a
 * SIGTERM on to its shell only, so that the shell ends and the server behind it would stay.
 */
export function npmEnded(process: NpmProcess, interval = CHECK_INTERVAL_MS): Promise<'npm ended'> {
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

const CHECK_INTERVAL_MS = 500;
