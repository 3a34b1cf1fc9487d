import { once } from 'node:events';
import type { RunningPostern } from '../support/postern.ts';

/** Resolves when the server has said something that matches; rejects if it ends before. */
export async function said({ process, output }: RunningPostern, pattern: RegExp): Promise<void> {
  const heard = [process.stdout, process.stderr].flatMap((stream) => (stream === null ? [] : [stream]));
  while (!pattern.test(output())) {
    const controller = new AbortController();
    const { signal } = controller;
    const ended = once(process, 'exit', { signal }).then(() => Promise.reject(new Error(`it ended:\n${output()}`)));
    try {
      await Promise.race([ended, ...heard.map((stream) => once(stream, 'data', { signal }))]);
    } finally {
      controller.abort();
    }
  }
}
