import { setTimeout } from 'node:timers/promises';
import type { DeliveryFactory } from './delivery-target.ts';
import { StartError } from './start-error.ts';

/**
 * Prepares the place for messages. Rejects with a StartError after `timeout` milliseconds, since the system
 * may never answer: Node makes a folder and its parents below /proc without end.
 */
export async function prepare(destination: DeliveryFactory, timeout = PREPARE_TIMEOUT_MS): Promise<void> {
  const timer = new AbortController();
  const late = setTimeout(timeout, undefined, { signal: timer.signal }).then(() => {
    throw new StartError(`--deliver: not ready after ${timeout} ms; expected a place that answers`);
  });
  try {
    await Promise.race([destination.prepare?.(), late]);
  } finally {
    timer.abort();
    late.catch(() => {});
  }
}

const PREPARE_TIMEOUT_MS = 30_000;
