import type { Ask } from '@postern/cred';
import type { Responder } from '@postern/sasl/client';

/** The server's half of an exchange, whatever it is made of: resolves when the client is logged in. */
export type ServerHalf = (initialResponse: Uint8Array | undefined, ask: Ask) => Promise<unknown>;

/**
 * Runs so many exchanges at once, all in step, and resolves to the milliseconds of processor time that the server's halves took.
 * Rejects if an exchange fails.
 */
export async function runExchanges(count: number, server: ServerHalf, responder: Responder): Promise<number> {
  let running = Array.from({ length: count }, () => new Exchange(server, responder));
  let milliseconds = 0;
  for (;;) {
    for (const exchange of running) exchange.goOn();
    await allAt('server', running);
    running = running.filter(({ at }) => at !== 'end');
    if (running.length === 0) break;

    const begin = processorTime();
    for (const exchange of running) exchange.goOn();
    await allAt('client', running);
    milliseconds += processorTime() - begin;
  }
  return milliseconds;
}

/** Of this process so far, in milliseconds: what else the machine does adds nothing. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Until it is that side's turn everywhere: after one turn of the event loop, unless somebody waits for the thread pool. */
async function allAt(side: 'client' | 'server', exchanges: readonly Exchange[]): Promise<void> {
  do await new Promise((resolve) => setImmediate(resolve));
  while (exchanges.some((exchange) => exchange.at !== side && exchange.at !== 'end'));
}

type Resume = (message: Uint8Array | undefined) => void;

/** The client's and the server's half of one exchange, each stopped when it has said something. */
class Exchange {
  /** Whose turn it is. */
  at: 'client' | 'server' | 'end' = 'client';
  #message: Uint8Array | undefined;
  #failure: unknown;
  /** What the two sides do when it is their turn: begin, and then hear the message of the other one. */
  #client: Resume;
  #server: Resume;

  constructor(server: ServerHalf, responder: Responder) {
    this.#client = () => {
      const say = (message: Uint8Array | undefined) =>
        new Promise<Uint8Array | undefined>((resolve) => {
          this.#client = resolve;
          this.#hand('server', message);
        });
      responder.respond(say, CHANNEL).then(() => {
        this.at = 'end';
      }, this.#fail);
    };
    this.#server = (initialResponse) => {
      const ask: Ask = (challenge) =>
        new Promise((resolve) => {
          this.#server = resolve as Resume;
          this.#hand('client', challenge);
        });
      server(initialResponse, ask).then(() => this.#hand('client', undefined), this.#fail);
    };
  }

  goOn(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.at === 'client') this.#client(this.#message);
    else this.#server(this.#message);
  }

  #hand(to: 'client' | 'server', message: Uint8Array | undefined): void {
    this.#message = message;
    this.at = to;
  }

  readonly #fail = (error: unknown): void => {
    this.#failure = error;
    this.at = this.at === 'client' ? 'server' : 'client';
  };
}

const CHANNEL = { tls: undefined, secure: true, offered: [] };
