import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * A part of a campaign in a process of its own, so that its work does not delay what another part
 * measures.
 */
export interface Child {
  /** What the child has sent when it was ready. */
  readonly ready: unknown;
  /** Asks the child to end, and resolves to the last message that it sends. */
  stop(): Promise<unknown>;
}

/**
 * Starts a module with arguments, and resolves when its first message comes. Rejects if it ends
 * before.
 */
export async function startChild(module: URL, args: readonly (string | number)[]): Promise<Child> {
  const child = fork(fileURLToPath(module), args.map(String));
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').then(([code]) => {
    process.off('exit', kill);
    return code as number | null;
  });
  let last: unknown;
  child.on('message', (message) => {
    last = message;
  });
  const first = await Promise.race([once(child, 'message'), ended]);
  if (!Array.isArray(first)) throw new Error(`${module.pathname} ended with ${first} before it was ready`);
  return {
    ready: first[0],
    async stop() {
      child.send('stop');
      await ended;
      return last;
    },
  };
}

/**
 * Reports to the parent that this child is ready. Resolves when the parent asks it to end, and
 * exits if the parent is gone.
 */
export async function untilStopped(ready: unknown): Promise<void> {
  process.once('disconnect', () => process.exit());
  process.send?.(ready);
  await once(process, 'message');
}

/** Sends the last message and ends this child. */
export function finish(message: unknown): void {
  process.send?.(message, () => process.exit());
}
