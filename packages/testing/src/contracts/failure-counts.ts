import assert from 'node:assert/strict';
import type { MaybePromise } from '@postern/core';
import type { FailureCounts } from '@postern/throttle';
import { type ContractCase, skippedCase } from './case.ts';

/** A store of failed logins, and the inputs of its contract. */
export interface FailureCountsContract {
  /** Makes an empty store for each rule. */
  readonly make: () => MaybePromise<FailureCounts>;
  /**
   * Lets `milliseconds` pass for the store: `FakeClock.advance`, or a wait. Without it the rules
   * about windows are skipped.
   */
  readonly advance?: (milliseconds: number) => Promise<void>;
  /**
   * The window of the rules in milliseconds. Shorten it for a store in real time. Default: 60,000.
   */
  readonly window?: number;
  /** True if the store has the optional method `remaining`. Default: false. */
  readonly hasRemaining?: boolean;
}

/**
 * Returns the rules of every {@link FailureCounts}: exact counts, one window from the first failure
 * on, and keys that do not affect each other.
 *
 * @example
 * ```ts
 * import { FakeClock, failureCountsContract } from '@postern/testing';
 * import { InMemoryFailureCounts } from '@postern/throttle';
 * import { it } from 'vitest';
 *
 * const clock = new FakeClock();
 * const cases = failureCountsContract({
 *   make: () => new InMemoryFailureCounts({ clock }),
 *   advance: (milliseconds) => clock.advance(milliseconds),
 *   hasRemaining: true,
 * });
 * for (const { name, run } of cases) it(name, run);
 * ```
 */
export function failureCountsContract(contract: FailureCountsContract): readonly ContractCase[] {
  const { make, advance, window = 60_000, hasRemaining = false } = contract;
  const always = Object.entries(rules(window)).map(([name, rule]) => ({
    name,
    run: async () => rule(await make()),
  }));
  const timed = Object.entries(timedRules(window)).map(([name, rule]) =>
    advance === undefined
      ? skippedCase(name, 'the contract has no `advance`')
      : { name, run: async () => rule(await make(), advance) },
  );
  const remaining = 'reports the remaining time of the window, and 0 without failures';
  return [
    ...always,
    ...timed,
    hasRemaining
      ? { name: remaining, run: async () => reportsRemaining(await make(), window) }
      : skippedCase(remaining, 'the contract does not set `hasRemaining`'),
  ];
}

function rules(window: number): Readonly<Record<string, (counts: FailureCounts) => Promise<void>>> {
  return {
    async 'counts no failure for a new key'(counts) {
      assert.equal(await counts.get('joe'), 0);
    },

    async 'counts each failure of a key'(counts) {
      for (const expected of [1, 2, 3]) {
        await counts.add('joe', window);
        assert.equal(await counts.get('joe'), expected);
      }
    },

    async 'counts failures that are added at the same time'(counts) {
      await Promise.all(Array.from({ length: 20 }, async () => counts.add('joe', window)));
      assert.equal(await counts.get('joe'), 20);
    },

    async 'keeps keys apart'(counts) {
      for (const [index, key] of HOSTILE_KEYS.entries()) {
        for (let n = 0; n <= index; n++) await counts.add(key, window);
      }
      for (const [index, key] of HOSTILE_KEYS.entries()) {
        assert.equal(await counts.get(key), index + 1, JSON.stringify(key.slice(0, 20)));
      }
    },

    async 'resets the failures of one key alone'(counts) {
      await counts.add('joe', window);
      await counts.add('ann', window);
      await counts.reset('joe');
      assert.equal(await counts.get('joe'), 0);
      assert.equal(await counts.get('ann'), 1);
    },

    async 'resets a key without failures'(counts) {
      await counts.reset('joe');
      assert.equal(await counts.get('joe'), 0);
    },

    async 'counts from 1 after a reset'(counts) {
      for (let n = 0; n < 3; n++) await counts.add('joe', window);
      await counts.reset('joe');
      await counts.add('joe', window);
      assert.equal(await counts.get('joe'), 1);
    },
  };
}

type Advance = NonNullable<FailureCountsContract['advance']>;

function timedRules(
  window: number,
): Readonly<Record<string, (counts: FailureCounts, advance: Advance) => Promise<void>>> {
  return {
    async 'forgets the failures after the window'(counts, advance) {
      await counts.add('joe', window);
      await advance(0.6 * window);
      assert.equal(await counts.get('joe'), 1);
      await advance(0.6 * window);
      assert.equal(await counts.get('joe'), 0);
    },

    async 'starts the window with the first failure, and no later failure extends it'(counts, advance) {
      await counts.add('joe', window);
      await advance(0.6 * window);
      await counts.add('joe', window);
      assert.equal(await counts.get('joe'), 2);
      await advance(0.6 * window);
      assert.equal(await counts.get('joe'), 0);
    },

    async 'starts a new window with the first failure after the last window'(counts, advance) {
      await counts.add('joe', window);
      await advance(1.2 * window);
      await counts.add('joe', window);
      assert.equal(await counts.get('joe'), 1);
      await advance(0.6 * window);
      assert.equal(await counts.get('joe'), 1);
    },
  };
}

async function reportsRemaining(counts: FailureCounts, window: number): Promise<void> {
  assert.ok(counts.remaining !== undefined, 'the store has no method `remaining`');
  assert.equal(await counts.remaining('joe'), 0);
  await counts.add('joe', window);
  const remaining = await counts.remaining('joe');
  assert.ok(remaining > 0 && remaining <= window, `${remaining} of ${window} ms`);
}

/** Keys with the separators of stores, the names of object properties, and a long key. */
const HOSTILE_KEYS = [
  'user:joe',
  'user:jo',
  'joe',
  'JOE',
  'user+network:joe:2001:db8::/64',
  '__proto__',
  'constructor',
  'a b\r\nc',
  'josé',
  '*',
  'x'.repeat(1_000),
];
