import { parseAddress } from '@postern/core';
import { DelegatingMind, type Mind } from '@postern/cred';
import { protocolOfService } from '../protocol/protocol-of-service.ts';
import type { SaslauthdRequest } from './request.ts';

/** The mind of one request: the mail server's client, as the mail server describes it. */
export class SaslauthdMind extends DelegatingMind {
  readonly #request: SaslauthdRequest;

  constructor(connection: Mind, request: SaslauthdRequest) {
    super(connection);
    this.#request = request;
  }

  /** The protocol of the service: a user with the scope `smtp` may log in to Postfix. */
  override get protocol(): string {
    return protocolOfService(this.#request.service) ?? super.protocol;
  }

  /** The client's address; the mail server's if the request has no valid one. */
  override get remote(): Mind['remote'] {
    const [ip = '', port] = this.#request.clientAddress?.split(';', 2) ?? [];
    return parseAddress(ip, port) ?? super.remote;
  }
}
