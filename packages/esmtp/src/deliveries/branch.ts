import type { MaybePromise } from '@postern/cred';
import type { Message } from '../delivery.ts';
import { isPromise } from '../promise.ts';
import { refusal } from '../refusals.ts';
import { Rejection, type Reply } from '../reply.ts';

/** One recipient's message among several. Whatever its delivery does, its methods do not fail, and end in time. */
export class Branch {
  readonly #within: <T>(work: Promise<T>) => Promise<T>;
  readonly #onTrouble: (error: unknown) => void;
  #message: Message | undefined;
  #failure: Reply | undefined;

  constructor(within: <T>(work: Promise<T>) => Promise<T>, onTrouble: (error: unknown) => void) {
    this.#within = within;
    this.#onTrouble = onTrouble;
  }

  /** Why the recipient does not get the message, if that is so. */
  get failure(): Reply | undefined {
    return this.#failure;
  }

  async open(open: () => Promise<Message>): Promise<void> {
    const opening = open();
    try {
      this.#message = await this.#within(opening);
    } catch (error) {
      this.#fail(error);
      // Nobody waits any more for one that comes too late.
      opening.then((late) => late.abort(error as Error)).catch(() => {});
    }
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    if (this.#failure !== undefined) return;
    try {
      const written = this.#message?.write(chunk);
      if (isPromise(written)) return this.#within(written).catch((error: unknown) => this.#giveUp(error));
    } catch (error) {
      this.#giveUp(error);
    }
  }

  async end(): Promise<Reply | undefined> {
    if (this.#failure !== undefined) return this.#failure;
    try {
      const [result] = (await this.#within(Promise.resolve(this.#message?.end()))) ?? [];
      return result;
    } catch (error) {
      this.#fail(error);
      return this.#failure;
    }
  }

  async abort(reason: Error): Promise<void> {
    if (this.#failure !== undefined) return;
    try {
      await this.#within(Promise.resolve(this.#message?.abort(reason)));
    } catch (error) {
      this.#tell(error);
    }
  }

  /** The others are not to wait for this one's aborting. */
  #giveUp(error: unknown): void {
    void this.abort(error as Error);
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#failure = refusal(error);
    this.#tell(error);
  }

  #tell(error: unknown): void {
    if (error instanceof Rejection) return;
    try {
      this.#onTrouble(error);
    } catch {
      // A log that does not work is no reason to refuse mail.
    }
  }
}
