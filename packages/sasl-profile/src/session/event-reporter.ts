import type { Warnings } from '@postern/conversation';
import { isPromise } from '@postern/core';
import type { Culprit } from '@postern/cred';
import type { AnySessionEvent, SessionListener } from './session-event.ts';

/** Sends the events of a server's sessions to the listener of the option `onEvent`. */
export class EventReporter<E extends AnySessionEvent> {
  readonly #listener: SessionListener<E> | undefined;
  readonly #warnings: Warnings;
  readonly #protocol: string;

  constructor(listener: SessionListener<E> | undefined, warnings: Warnings, protocol: string) {
    this.#listener = listener;
    this.#warnings = warnings;
    this.#protocol = protocol;
  }

  /** True if there is a listener. Without one, sessions make no event. */
  get hasListener(): boolean {
    return this.#listener !== undefined;
  }

  /**
   * Calls the listener. Its errors become warnings of the process: a broken log must not refuse
   * clients.
   */
  report(event: E): void {
    try {
      const result: unknown = this.#listener?.(event);
      if (isPromise(result)) result.then(undefined, this.#warn);
    } catch (error) {
      this.#warn(error);
    }
  }

  /** Warns of an error that no listener gets. Errors of clients are not worth a warning. */
  warn(culprit: Culprit, during: string, cause: unknown): void {
    if (culprit !== 'client') this.#warnings.warn(`${this.#protocol}: ${during} failed`, cause);
  }

  readonly #warn = (error: unknown): void => this.#warnings.warn('onEvent failed', error);
}
