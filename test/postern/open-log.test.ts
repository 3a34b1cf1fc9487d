import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openLog } from '../../packages/postern/src/open-log.ts';

describe('openLog', () => {
  it.each(['pretty', 'json'] as const)('reports each lost line if a full block ends the loss (%s)', async (form) => {
    const stderr = new StalledStream();
    const log = await openLog(form, stderr);
    let written = 0;
    const write = (lines: number, octets: number): void => {
      for (let line = 0; line < lines; line++) log.info('entry', { number: written++, text: 'x'.repeat(octets) });
    };
    write(900, 1_500);
    await setImmediate();
    write(5, 10);
    await setImmediate();
    stderr.resume();
    await setImmediate();
    // More than a block in one turn: the first block is written while a line ends.
    write(20, 700);
    await setImmediate();

    const numbers = [...stderr.text.matchAll(/number\W+(\d+)/g)].map(([, number]) => Number(number));
    const lost = [...stderr.text.matchAll(/lines\W+(\d+)/g)].map(([, lines]) => Number(lines));
    expect(lost).toHaveLength(1);
    expect(lost[0]).toBeGreaterThan(100);
    expect(numbers.length + (lost[0] as number)).toBe(written);
    expect(numbers.slice(-20)).toEqual(Array.from({ length: 20 }, (_, index) => written - 20 + index));
  });
});

/** A stream whose reader stalls until `resume` is called. */
class StalledStream extends Writable {
  text = '';
  #isStalled = true;
  readonly #waiting: (() => void)[] = [];

  constructor() {
    super({ decodeStrings: false });
  }

  override _write(chunk: Uint8Array | string, _encoding: BufferEncoding, done: () => void): void {
    this.text += chunk.toString();
    if (this.#isStalled) this.#waiting.push(done);
    else done();
  }

  resume(): void {
    this.#isStalled = false;
    for (const done of this.#waiting.splice(0)) done();
  }
}
