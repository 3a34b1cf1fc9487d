import type { ChannelBindingType, RelayedBinding } from '@postern/cred';
import { decodeBase64 } from '@postern/sasl';

/**
 * The channel binding of one request. The mail server gets the type as `channel_binding=` of a
 * CONT, and sends the data as `channel_binding=` of the next. Requests do not name their TLS
 * session, so the mail server has to keep the rule of RFC 9266 §4.1: one use of tls-exporter.
 */
export class ClientBinding implements RelayedBinding {
  readonly isOffered: boolean;
  #requested: ChannelBindingType | undefined;
  /** True while the next CONT of the client brings the data. */
  #isDue = false;
  #data: Uint8Array | undefined;

  constructor(isOffered: boolean) {
    this.isOffered = isOffered;
  }

  request(type: ChannelBindingType): () => Uint8Array | undefined {
    this.#requested = type;
    return () => this.#data;
  }

  /** Returns the parameter of the next CONT: no text if nothing has requested the data. */
  takeRequest(): string {
    if (this.#requested === undefined) return '';
    const parameter = `${CHANNEL_BINDING}${this.#requested}`;
    this.#requested = undefined;
    this.#isDue = true;
    return parameter;
  }

  /**
   * Takes the parameters of a CONT, each behind a TAB. Returns false for data that was not asked
   * for. Data outside base64 counts as missing.
   */
  receive(parameters: string): boolean {
    const start = parameters.indexOf(CHANNEL_BINDING);
    const isDue = this.#isDue;
    this.#isDue = false;
    if (start < 0) return true;
    if (!isDue) return false;
    const [base64 = ''] = parameters.slice(start + CHANNEL_BINDING.length).split('\t', 1);
    this.#data = decodeBase64(base64);
    return true;
  }
}

const CHANNEL_BINDING = '\tchannel_binding=';
