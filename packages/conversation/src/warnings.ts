import { inspect } from 'node:util';
import { type Clock, systemClock } from '@postern/core';

/**
 * Emits process warnings (`PosternWarning`, with the error as `cause`) for errors that no hook
 * receives. In one minute it emits each warning once, and at most 10 different warnings: a peer
 * cannot fill the log.
 */
export class Warnings {
  readonly #clock: Clock;
  /** The texts of the warnings of this minute. */
  readonly #emitted = new Set<string>();
  #minuteEnds = Number.NEGATIVE_INFINITY;
  #omitted = 0;

  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
  }

  /** Emits the warning, except if this minute has seen the same text or 10 others. Never throws. */
  warn(message: string, cause: unknown): void {
    const now = this.#clock.now();
    if (now >= this.#minuteEnds) {
      this.#emitted.clear();
      this.#minuteEnds = now + MINUTE_MS;
    }
    const text = `${message}: ${reasonOf(cause)}`.slice(0, MAX_TEXT_LENGTH);
    if (this.#emitted.has(text) || this.#emitted.size >= MAX_WARNINGS) {
      this.#omitted++;
      return;
    }
    this.#emitted.add(text);
    emit(text, cause, this.#omitted);
    this.#omitted = 0;
  }
}

function emit(text: string, cause: unknown, omitted: number): void {
  const before = omitted === 0 ? '' : ` (${omitted} warnings before this one are omitted)`;
  const warning = new Error(`${text}${before}`, { cause });
  warning.name = 'PosternWarning';
  // Node prints the `detail` of a warning and ignores its `cause`.
  process.emitWarning(Object.assign(warning, { detail: detailOf(cause) }));
}

/**
 * Returns the messages of an error and of its causes: often the innermost one says what to repair.
 */
function reasonOf(cause: unknown): string {
  const reasons = new Set<string>();
  let error = cause;
  for (let depth = 0; error instanceof Error && depth < MAX_CAUSES; depth++) {
    reasons.add(error.message);
    error = error.cause;
  }
  return reasons.size === 0 ? detailOf(cause) : [...reasons].join(': ');
}

/** Returns the error with its stack, or its type if the object cannot be inspected. */
function detailOf(cause: unknown): string {
  try {
    return inspect(cause).slice(0, MAX_DETAIL_LENGTH);
  } catch {
    return typeof cause;
  }
}

const MINUTE_MS = 60_000;
const MAX_WARNINGS = 10;
const MAX_TEXT_LENGTH = 500;
const MAX_DETAIL_LENGTH = 10_000;
const MAX_CAUSES = 5;
