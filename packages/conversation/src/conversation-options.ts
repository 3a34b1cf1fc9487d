import type { Deadlines } from './deadlines.ts';
import type { MemoryAccount, MemoryBudget } from './memory-budget.ts';
import type { TurnQueue } from './turn-queue.ts';

/** The objects and limits that a server shares among its conversations. */
export interface ConversationOptions {
  /**
   * The timer of the deadlines. A server shares one object among its conversations. Default: a new
   * one.
   */
  readonly deadlines?: Deadlines;
  /** The bound of the memory of connections. A process shares one object. Default: no bound. */
  readonly memory?: MemoryBudget;
  /** The account of the connection's memory. Default: a new one of `memory`. */
  readonly account?: MemoryAccount;
  /**
   * The queue that shares the event loop among conversations. A server shares one object. Default:
   * a new one.
   */
  readonly turns?: TurnQueue;
  /** Aborts when the server begins to shut down. Default: a signal that never aborts. */
  readonly shutdownSignal?: AbortSignal;
  /**
   * The most milliseconds that one hear waits for the peer. Default: 300,000 (RFC 5321 §4.5.3.2.7).
   */
  readonly readTimeout?: number;
  /** The number of octets that extend a read by one second, up to `readTimeout`. Default: 500. */
  readonly minimumRate?: number;
}
