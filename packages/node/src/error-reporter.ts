import { type Clock, Warnings } from '@postern/conversation';
import type { ListenerError } from './listener-error.ts';

/**
 * Reports the errors of one listener to `onError`. Without it, an error that this server or its
 * operator causes becomes a warning of the process. Clients can repeat a refusal at will: at most
 * 60 errors of the kinds `refused` and `displaced` are reported a minute, and the next one counts
 * the rest.
 */
export class ErrorReporter {
  readonly #onError: ((error: ListenerError) => void) | undefined;
  readonly #clock: Clock;
  readonly #warnings = new Warnings();
  #minuteEnds = Number.NEGATIVE_INFINITY;
  #reports = 0;
  #omitted = 0;

  constructor(onError: ((error: ListenerError) => void) | undefined, clock: Clock) {
    this.#onError = onError;
    this.#clock = clock;
  }

  /** Reports the error, unless clients caused too many of its kind. Never throws. */
  report(error: ListenerError): void {
    if (error.kind !== 'refused' && error.kind !== 'displaced') {
      this.#call(error);
      return;
    }
    const now = this.#clock.now();
    if (now >= this.#minuteEnds) {
      this.#minuteEnds = now + MINUTE_MS;
      this.#reports = 0;
    }
    if (this.#reports >= MAX_REPORTS) {
      this.#omitted++;
      return;
    }
    this.#reports++;
    const omitted = this.#omitted;
    this.#omitted = 0;
    this.#call(omitted > 0 ? { ...error, omitted } : error);
  }

  #call(error: ListenerError): void {
    try {
      if (this.#onError !== undefined) this.#onError(error);
      else warn(error, this.#warnings);
    } catch (cause) {
      this.#warnings.warn('onError failed', cause);
    }
  }
}

/** A client's fault is no warning: clients could fill the log. */
function warn(error: ListenerError, warnings: Warnings): void {
  switch (error.kind) {
    case 'protocol':
      warnings.warn('a protocol failed', error.error);
      break;
    case 'accept':
      warnings.warn('cannot accept connections', error.error);
      break;
    case 'proxy':
      warnings.warn('a trusted proxy sent no valid PROXY header', error.error);
      break;
    case 'cut-off':
      warnings.warn('the shutdown timeout is over', new Error(`${error.connections} conversations are broken off`));
      break;
    case 'refused':
      if (error.limit === 'memory') warnings.warn('clients are refused', new Error('the memory budget is used up'));
      if (error.limit === 'connections') warnings.warn('clients are refused', new Error('too many connections'));
      break;
    case 'displaced':
      warnings.warn('clients without a login are displaced', new Error('too many connections'));
      break;
    case 'handshake':
    case 'conversation':
      break;
  }
}

const MINUTE_MS = 60_000;
const MAX_REPORTS = 60;
