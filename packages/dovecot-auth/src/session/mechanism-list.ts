import { Anonymous, isDerived, type Mind } from '@postern/cred';
import type { Challenger } from '@postern/sasl';
import type { MechanismOffer } from '@postern/sasl-profile';
import { mechanismFlags } from '../protocol/mechanism-flags.ts';

/** The mechanisms that one connection is offered. */
export interface ListedMechanisms {
  readonly names: ReadonlySet<string>;
  /** The MECH lines. */
  readonly lines: string;
}

/**
 * The challenger of a client's choice. `not-offered` for one that the connection is not offered.
 * `vanished` for one that the connection was offered and that has lost its checker.
 */
export type MechanismChoice = Challenger | 'not-offered' | 'vanished';

/** The lists of mechanisms of one server. Connections with the same offer share one list. */
export class MechanismList {
  readonly #offer: MechanismOffer;
  readonly #hidden: ReadonlySet<string>;
  readonly #listable: ReadonlySet<string>;
  readonly #exposing: ReadonlySet<string>;
  readonly #lists = new WeakMap<readonly string[], ListedMechanisms>();
  /** The lists of mail servers that pass the channel binding of their clients on. */
  readonly #bindingLists = new WeakMap<readonly string[], ListedMechanisms>();

  /** `hidden` are the mechanisms that a connection is offered only beside their -PLUS. */
  constructor(offer: MechanismOffer, challengers: readonly Challenger[], hidden: ReadonlySet<string>) {
    this.#offer = offer;
    this.#hidden = hidden;
    this.#listable = namesOf(challengers.filter(isListable));
    this.#exposing = namesOf(challengers.filter(({ exposesSecret }) => exposesSecret));
  }

  /**
   * Returns the list for a connection. It has at least one mechanism: otherwise Postfix closes its
   * port for a minute.
   */
  listFor(mind: Mind): ListedMechanisms {
    const offered = this.#offer.namesFor(mind);
    const passesBindingOn = mind.relayedBinding !== undefined;
    const lists = passesBindingOn ? this.#bindingLists : this.#lists;
    const cached = lists.get(offered);
    if (cached !== undefined) return cached;
    const names = offered.filter((name) => {
      if (!this.#listable.has(name)) return false;
      if (name.endsWith('-PLUS')) return passesBindingOn;
      return !this.#hidden.has(name) || (passesBindingOn && offered.includes(`${name}-PLUS`));
    });
    if (names.length === 0) names.push('PLAIN');
    const lines = names.map((name) => this.#lineOf(name)).join('');
    const list = { names: new Set(names), lines };
    lists.set(offered, list);
    return list;
  }

  /** Returns the challenger for a mechanism in any case of letters. */
  choose(mechanism: string, listed: ListedMechanisms, mind: Mind): MechanismChoice {
    const name = mechanism.toUpperCase();
    if (!listed.names.has(name)) return 'not-offered';
    const chosen = this.#offer.choose(name, mind);
    return typeof chosen === 'string' ? 'vanished' : chosen;
  }

  #lineOf(name: string): string {
    const exposesSecret = this.#exposing.has(name) || name === 'PLAIN';
    return `${['MECH', name, ...mechanismFlags(name, exposesSecret)].join('\t')}\n`;
  }
}

/**
 * Returns true for a mechanism that can log in a mail server's client. The TLS of the connection is
 * the mail server's: by EXTERNAL, its certificate would log in each client. An anonymous client has
 * no `Identity`, and Postfix hides ANONYMOUS.
 */
export function isListable({ mechanism, credentials }: Challenger): boolean {
  return mechanism !== 'EXTERNAL' && !isDerived(credentials, Anonymous);
}

function namesOf(challengers: readonly Challenger[]): ReadonlySet<string> {
  return new Set(challengers.map(({ mechanism }) => mechanism));
}
