import type { MaybePromise } from '@postern/cred';
import { type Intake, TOO_LARGE } from './intake.ts';
import { LineEndings } from './line-endings.ts';
import { answerEnd, type Outcome } from './outcome.ts';
import { Reply } from './reply.ts';
import type { State } from './state.ts';

/** A message that comes in chunks (RFC 3030 §2). Once it is refused, so is every chunk that is still on its way. */
export class Chunks {
  readonly #state: State;
  readonly #intake: Intake;
  /** Undefined where the message may hold anything. */
  readonly #lineEndings: LineEndings | undefined;
  #smallChunks = 0;
  #refusal: Reply | undefined;

  constructor(state: State, intake: Intake) {
    this.#state = state;
    this.#intake = intake;
    this.#lineEndings = state.transaction?.parameters.body === 'BINARYMIME' ? undefined : new LineEndings();
  }

  /** Hears a chunk of so many octets, whatever becomes of it, and comes to the reply. Rejects only if the conversation breaks. */
  async hear(octets: number, last: boolean): Promise<Reply | undefined> {
    const { conversation, limits } = this.#state;
    // What cannot be taken to its end is no work for the delivery.
    if (this.#intake.octets + octets > limits.messageSize) await this.#intake.giveUp(TOO_LARGE);
    await conversation.hearBytes(octets, this.#take);
    if (octets < SMALL_CHUNK && !last && ++this.#smallChunks > limits.smallChunks) return TOO_MANY_CHUNKS;
    if (last) {
      this.#lineEndings?.end();
      this.#state.go('home');
    }
    const outcome = this.#refusal ?? (last || this.#hopeless ? await this.#end() : undefined);
    if (last && outcome !== undefined) return await answerEnd(this.#state, this.#intake.recipients, outcome);
    return outcome instanceof Reply ? outcome : new Reply(250, '2.0.0', `${octets} octets received`);
  }

  /** Refuses the message, if that has not happened yet. */
  async refuse(reply: Reply): Promise<void> {
    if (this.#refusal !== undefined) return;
    await this.#intake.giveUp(reply);
    await this.#end();
  }

  /** Has the message aborted, if that has not happened yet. Does not fail. */
  async withdraw(reason: Error): Promise<void> {
    await this.#intake.giveUp(reason);
  }

  readonly #take = (piece: Uint8Array, used?: Uint8Array): MaybePromise<void> => {
    this.#lineEndings?.feed(piece);
    return this.#intake.take(piece, used);
  };

  /** True if the message will be refused, whatever is still to come. */
  get #hopeless(): boolean {
    return this.#intake.refused || this.#lineEndings?.bare === true;
  }

  async #end(): Promise<Outcome> {
    const { octets } = this.#intake;
    const outcome = await this.#intake.end({ octets, bareLineEndings: this.#lineEndings?.bare === true });
    if (outcome instanceof Reply && !outcome.positive) this.#refusal = outcome;
    return outcome;
  }
}

/** Chunks of fewer octets cost more than they bring, and are counted. */
export const SMALL_CHUNK = 1024;

const TOO_MANY_CHUNKS = new Reply(421, '4.7.0', 'Too many small chunks');
