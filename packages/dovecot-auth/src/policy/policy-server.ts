import type { LineError, LineServer } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import type { LookupSession } from '../lookups/lookup-session.ts';
import { ProtocolError } from '../lookups/protocol-error.ts';
import { actionFor } from './action.ts';
import { PolicyRequest } from './request.ts';

/** Reads the requests of one connection, and answers each with an action of access(5). */
export class PolicyServer implements LineServer {
  readonly maxOctets: number;
  readonly #session: LookupSession;
  #request: PolicyRequest | undefined;

  constructor(session: LookupSession) {
    this.#session = session;
    this.maxOctets = session.settings.limits.maxRequest;
  }

  get interruptible(): boolean {
    return this.#request === undefined;
  }

  heard(line: string | LineError): MaybePromise<boolean> {
    if (typeof line !== 'string') throw new ProtocolError(line.message);
    if (line !== '') return this.#add(line);
    const request = this.#request;
    if (request === undefined) throw new ProtocolError('a request without attributes');
    this.#session.endRequest();
    const action = this.#session.inTime(actionFor(request, this.#session));
    return isPromise(action) ? action.then((later) => this.#answer(later)) : this.#answer(action);
  }

  ended(): void {
    if (this.#request === undefined) this.#session.ended();
    else this.failed(new ProtocolError('the client disconnected within a request'));
  }

  failed(error: unknown): void {
    this.#session.failed(error);
  }

  #add(line: string): true {
    if (this.#request === undefined) {
      this.#request = new PolicyRequest(this.#session.settings.limits.maxRequest);
      this.#session.beginRequest();
    }
    this.#request.add(line);
    return true;
  }

  #answer(action: string): true {
    this.#request = undefined;
    this.#session.conversation.say(`action=${action}\n\n`);
    return true;
  }
}
