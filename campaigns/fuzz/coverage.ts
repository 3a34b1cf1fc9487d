import { Session } from 'node:inspector';

/**
 * The blocks of the packages' source that run, by V8's own count. Counting makes code several times
 * slower, so that a campaign counts during its first inputs only.
 */
export class Coverage {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Returns the blocks that ran since the last call. */
  take(): Set<string> {
    const blocks = new Set<string>();
    // The session answers before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, taken) => {
      if (error !== null) throw error;
      for (const { url, scriptId, functions } of taken.result) {
        if (!url.includes('/packages/')) continue;
        for (const { ranges } of functions) {
          for (const { count, startOffset, endOffset } of ranges) {
            if (count > 0) blocks.add(`${scriptId}:${startOffset}:${endOffset}`);
          }
        }
      }
    });
    return blocks;
  }

  /** Lets the code run at its full speed again. */
  stop(): void {
    this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }
}
