import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { droppingWriter } from '../../packages/postern/src/log.ts';

/** A stream that accepts lines on request. */
class Stalled extends Writable {
  readonly taken: string[] = [];
  #next: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, next: () => void): void {
    this.taken.push(chunk.toString());
    this.#next = next;
  }

  /** Accepts all waiting lines. */
  async readAll(): Promise<void> {
    while (this.writableLength > 0) {
      this.#next?.();
      await new Promise(setImmediate);
    }
  }
}

describe('a log that drops lines', () => {
  it('passes every line to a reader that keeps up', async () => {
    const stream = new Stalled();
    const write = droppingWriter(stream, () => expect.fail('nothing is lost'));
    for (const line of ['one', 'two', 'three']) write(line);
    await stream.readAll();
    expect(stream.taken).toEqual(['one', 'two', 'three']);
  });

  it('keeps a bounded number of octets for a stalled reader and reports the lost lines later', async () => {
    const stream = new Stalled();
    const line = 'x'.repeat(1024);
    const write = droppingWriter(stream, (lines) => write(`lost ${lines}`));
    for (let n = 0; n < 5_000; n++) write(line);
    expect(stream.writableLength).toBeLessThan(1.1 * 1024 * 1024);
    await stream.readAll();
    const kept = stream.taken.length;
    write('more');
    await stream.readAll();
    expect(stream.taken.slice(kept)).toEqual([`lost ${5_000 - kept}`, 'more']);
  });
});
