import { describe, expect, it } from 'vitest';
import { type Meter, Pace } from '../../packages/maildir/src/mailbox/pace.ts';

/** A process whose calls take the time that a test says. */
class FakeProcess implements Meter {
  time = 0;
  waits = 0;
  readonly pace = new Pace(this);

  now(): number {
    return this.time;
  }

  sleeps(): number {
    return this.waits;
  }

  /** Makes calls that wait for the disk. */
  wait(milliseconds: number, count = 1): void {
    this.#call(milliseconds, count, 1);
  }

  /** Makes calls during which another process has the processor. */
  preempt(milliseconds: number, count = 1): void {
    this.#call(milliseconds, count, 0);
  }

  #call(milliseconds: number, count: number, waits: number): void {
    for (let call = 0; call < count; call += 1) {
      this.pace.timed(() => {
        this.time += milliseconds;
        this.waits += waits;
      });
    }
  }
}

describe('the pace of a file system', () => {
  it('is slow for 10 s after five calls that wait for more than 20 ms', () => {
    const process = new FakeProcess();
    process.wait(21, 4);
    expect(process.pace.isSlow).toBe(false);
    process.wait(21);
    expect(process.pace.isSlow).toBe(true);
    process.time += 9_999;
    expect(process.pace.isSlow).toBe(true);
    process.time += 1;
    expect(process.pace.isSlow).toBe(false);
  });

  it('is slow if one of six calls is prompt, and not if two of seven are', () => {
    const slow = new FakeProcess();
    for (const milliseconds of [21, 21, 1, 21, 21, 21]) slow.wait(milliseconds);
    expect(slow.pace.isSlow).toBe(true);
    const prompt = new FakeProcess();
    for (const milliseconds of [21, 21, 1, 21, 1, 21, 21]) prompt.wait(milliseconds);
    expect(prompt.pace.isSlow).toBe(false);
  });

  it('is prompt for calls of 20 ms', () => {
    const process = new FakeProcess();
    process.wait(20, 100);
    expect(process.pace.isSlow).toBe(false);
  });

  it('is prompt if other processes have the processor', () => {
    const process = new FakeProcess();
    process.preempt(100, 100);
    expect(process.pace.isSlow).toBe(false);
  });

  it('returns the result of the call, and throws its error', () => {
    const { pace } = new FakeProcess();
    expect(pace.timed(() => 1)).toBe(1);
    const fail = (): never => {
      throw new Error('no such file');
    };
    expect(() => pace.timed(fail)).toThrow('no such file');
  });

  it('counts a call that throws after a wait', () => {
    const process = new FakeProcess();
    const fail = (): never => {
      process.time += 21;
      process.waits += 1;
      throw new Error('input/output error');
    };
    for (let call = 0; call < 5; call += 1) {
      expect(process.pace.isSlow).toBe(false);
      expect(() => process.pace.timed(fail)).toThrow('input/output error');
    }
    expect(process.pace.isSlow).toBe(true);
  });
});
