import { parseAddress } from '@postern/core';
import { DelegatingMind, type Mind } from '@postern/cred';
import type { PolicyRequest } from './request.ts';

/** The mind of one request: the mail server's client, as the mail server describes it. */
export class PolicyMind extends DelegatingMind {
  readonly #request: PolicyRequest;

  constructor(connection: Mind, request: PolicyRequest) {
    super(connection);
    this.#request = request;
  }

  /** Postfix asks for its SMTP clients: a user without the scope `smtp` may not send. */
  override get protocol(): string {
    return 'smtp';
  }

  /** The client's address; the mail server's if the request has no valid one. */
  override get remote(): Mind['remote'] {
    const client = parseAddress(this.#request.valueOf('client_address'), this.#request.valueOf('client_port'));
    return client ?? super.remote;
  }
}
