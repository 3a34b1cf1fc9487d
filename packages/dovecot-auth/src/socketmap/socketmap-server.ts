import type { OctetServer } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import type { LookupSession } from '../lookups/lookup-session.ts';
import { answerTo } from './maps.ts';
import { formatNetstring, NetstringReader } from './netstring.ts';

/** Reads the requests of one connection, and answers each, in their order. */
export class SocketmapServer implements OctetServer {
  readonly #session: LookupSession;
  readonly #reader: NetstringReader;
  /** True from the first octet of a request to its answer. */
  #isBusy = false;

  constructor(session: LookupSession) {
    this.#session = session;
    this.#reader = new NetstringReader(session.settings.limits.maxRequest);
  }

  get isBetweenRequests(): boolean {
    return !this.#isBusy;
  }

  heard(octets: Buffer): MaybePromise<number> {
    if (!this.#isBusy) {
      this.#isBusy = true;
      this.#session.beginRequest();
    }
    const taken = this.#reader.take(octets);
    const request = this.#reader.finished();
    if (request === undefined) return taken;
    this.#session.endRequest();
    const answer = this.#answerTo(request);
    if (!isPromise(answer)) return this.#say(answer, taken);
    return answer.then((later) => this.#say(later, taken));
  }

  ended(): void {
    this.#session.ended();
  }

  failed(error: unknown): void {
    this.#session.failed(error);
  }

  /** Never throws. */
  #answerTo(request: Buffer): MaybePromise<string> {
    try {
      const answer = this.#session.inTime(answerTo(request.toString(), this.#session));
      return isPromise(answer) ? answer.catch((error: unknown) => this.#fail(error)) : answer;
    } catch (error) {
      return this.#fail(error);
    }
  }

  #fail(error: unknown): string {
    this.#session.reportError(error);
    return 'TEMP temporary failure';
  }

  #say(answer: string, taken: number): number {
    this.#isBusy = false;
    this.#session.conversation.say(formatNetstring(answer));
    return taken;
  }
}
