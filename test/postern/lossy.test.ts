import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { droppingWriter } from '../../packages/postern/src/dropping-writer.ts';

/** Takes lines when it is told to. */
class Stalled extends Writable {
  readonly taken: string[] = [];
  #next: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: string, next: () => void): void {
    this.taken.push(chunk.toString());
    this.#next = next;
  }

  /** Takes all that there is. */
  async readAll(): Promise<void> {
    while (this.writableLength > 0) {
      this.#next?.();
      await new Promise(setImmediate);
    }
  }
}

describe('a log that loses', () => {
  it('passes every line on to who reads', async () => {
    const stream = new Stalled();
    const write = droppingWriter(stream, () => expect.fail('nothing is lost'));
    for (const line of ['one', 'two', 'three']) write(line);
    await stream.readAll();
    expect(stream.taken).toEqual(['one', 'two', 'three']);
  });

  it('keeps a bounded number of lines for who has stalled, and tells how many are lost, once there is room', async () => {
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
