import { ProtocolError } from '../lookups/protocol-error.ts';
import { utf8Of } from '../lookups/text.ts';

/** An attribute that a decision depends on. */
export type PolicyAttribute =
  | 'request'
  | 'protocol_state'
  | 'sasl_username'
  | 'sender'
  | 'recipient'
  | 'client_address'
  | 'client_port';

/** One request of Postfix's policy delegation: attributes `name=value`, in any order. */
export class PolicyRequest {
  readonly #maxOctets: number;
  readonly #values = new Map<string, string>();
  #octets = 0;

  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  /**
   * Adds an attribute. Drops an attribute that no decision depends on.
   *
   * @throws ProtocolError for a malformed or repeated attribute, and for too many octets.
   */
  add(line: string): void {
    this.#octets += line.length + 1;
    if (this.#octets > this.#maxOctets) throw new ProtocolError(`a request of more than ${this.#maxOctets} octets`);
    const equals = line.indexOf('=');
    if (equals <= 0) throw new ProtocolError('a line that is no attribute name=value');
    const name = line.slice(0, equals);
    if (!ATTRIBUTES.has(name)) return;
    if (this.#values.has(name)) throw new ProtocolError(`the attribute ${name} twice`);
    this.#values.set(name, utf8Of(line.slice(equals + 1)));
  }

  /** Returns the value of an attribute; empty if the request has none. */
  valueOf(attribute: PolicyAttribute): string {
    return this.#values.get(attribute) ?? '';
  }
}

const ATTRIBUTES: ReadonlySet<string> = new Set<PolicyAttribute>([
  'request',
  'protocol_state',
  'sasl_username',
  'sender',
  'recipient',
  'client_address',
  'client_port',
]);
