import type { Conversation } from '@postern/conversation';
import { type Listener, type ListenerError, type ListenOptions, listen } from '@postern/node';
import { onTestFinished } from 'vitest';

export interface Served {
  readonly listener: Listener;
  readonly port: number;
  /** Resolves with the conversation of the next client, for the test to use. */
  readonly accept: () => Promise<Conversation>;
  /** Resolves with the next error of the listener. */
  readonly nextError: () => Promise<ListenerError>;
}

/** Starts a listener on loopback, whose conversations the test uses. It closes after the test. */
export async function served(options: Partial<Omit<ListenOptions, 'protocol'>> = {}): Promise<Served> {
  const conversations = new Queue<Conversation>();
  const errors = new Queue<ListenerError>();
  const listener = await listen({
    endpoint: LOOPBACK,
    onError: (error) => errors.put(error),
    ...options,
    protocol: async (conversation) => {
      conversations.put(conversation);
      await gone(conversation.signal);
    },
  });
  onTestFinished(() => listener.close({ shutdownTimeout: 0 }));
  return {
    listener,
    port: listener.address.port,
    accept: () => conversations.take(),
    nextError: () => errors.take(),
  };
}

/** Resolves when the signal aborts. */
export function gone(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}

/** A queue whose `take` waits for the next item. */
export class Queue<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  take(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#takers.push(resolve)) : Promise.resolve(item);
  }
}

export const LOOPBACK = { host: '127.0.0.1', port: 0 } as const;
