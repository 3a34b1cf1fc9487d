import type { Conversation } from '@postern/conversation';
import { type Listener, type ListenerError, type ListenOptions, listen } from '@postern/node';
import { onTestFinished } from 'vitest';

export interface Served {
  readonly listener: Listener;
  readonly port: number;
  /** The conversation with the next who connects; the test leads it. */
  readonly accept: () => Promise<Conversation>;
  /** The next thing that goes wrong. */
  readonly trouble: () => Promise<ListenerError>;
}

/** A listener on loopback that hands its conversations to the test, and is closed at its end. */
export async function served(options: Partial<Omit<ListenOptions, 'protocol'>> = {}): Promise<Served> {
  const conversations = new Queue<Conversation>();
  const troubles = new Queue<ListenerError>();
  const listener = await listen({
    endpoint: LOOPBACK,
    onError: (trouble) => troubles.put(trouble),
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
    trouble: () => troubles.take(),
  };
}

/** Resolves when the signal aborts. */
export function gone(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}

/** What comes now or later, in its order. */
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
