import type { Work } from './works.ts';

/** What the load generator counted in one window. */
export interface Window {
  /** The length by the clock. */
  readonly seconds: number;
  readonly sessions: number;
  readonly messages: number;
  /** All octets that the load generator sent, without those of TLS. */
  readonly bytes: number;
  /** All octets that the load generator received, without those of TLS. */
  readonly received: number;
  /** The seconds of processor time of each process of the server. */
  readonly cpu: readonly number[];
}

/** Returns the number of operations in the window. */
export function operationsOf(unit: Work['unit'], window: Window): number {
  switch (unit) {
    case 'message':
      return window.messages;
    case 'MiB':
      // The messages go in one direction: to a server of SMTP, from a server of POP3.
      return Math.max(window.bytes, window.received) / 2 ** 20;
    default:
      return window.sessions;
  }
}
