import type { Credentials, Interface, Mind, Portal } from '@postern/cred';
import { type Challenger, type MechanismPolicy, mayExposeSecret } from '@postern/sasl';
import { type ChosenChallenger, chosenOr, type OfferObstacle, offerObstacle } from './choose-challenger.ts';
import type { LoginCommand } from './ready-challenger.ts';

/**
 * The mechanisms of one server, as `offered` of `@postern/sasl` selects them for each connection.
 * One object serves all connections: it keeps the lists, and selects again after a change of the
 * portal's checkers.
 */
export class MechanismOffer {
  readonly #challengers: readonly Challenger[];
  readonly #portal: Portal;
  readonly #policy: MechanismPolicy;
  readonly #byName: ReadonlyMap<string, Challenger>;
  /** The portal's classes of credentials when the two selections were made. */
  #credentialInterfaces: readonly Interface<Credentials>[] | undefined;
  #all = new Selection([]);
  #withoutSecrets = this.#all;

  /** The default policy allows passwords only under TLS or from the same machine. */
  constructor(challengers: readonly Challenger[], portal: Portal, policy: MechanismPolicy = {}) {
    this.#challengers = challengers;
    this.#portal = portal;
    this.#policy = policy;
    // A Map keeps the last of equal keys, and `chooseChallenger` takes the first challenger.
    this.#byName = new Map(challengers.toReversed().map((challenger) => [challenger.mechanism, challenger]));
  }

  /**
   * Returns the names of the mechanisms that a server offers on this connection, in their order:
   * the same array for all connections with the same offer.
   */
  namesFor(mind: Mind): readonly string[] {
    this.#followPortal();
    const { hasSecrets } = this.#all;
    const selection = !hasSecrets || mayExposeSecret(mind, this.#policy) ? this.#all : this.#withoutSecrets;
    return selection.namesFor(mind);
  }

  /** Returns the challenger for the mechanism that a client names: see {@link chooseChallenger}. */
  choose(mechanism: string, mind: Mind): ChosenChallenger {
    const challenger = this.#byName.get(mechanism.toUpperCase());
    return chosenOr(challenger, offerObstacle(challenger, this.#portal, mind, this.#policy));
  }

  /**
   * Returns why this connection is not offered a login command that is no mechanism, such as
   * `USER`, by the rules for mechanisms. Returns undefined if it is.
   */
  obstacleTo(command: LoginCommand, mind: Mind): OfferObstacle | undefined {
    return offerObstacle(command, this.#portal, mind, this.#policy);
  }

  /** The portal returns another array after each change. */
  #followPortal(): void {
    const { credentialInterfaces } = this.#portal;
    if (credentialInterfaces === this.#credentialInterfaces) return;
    this.#credentialInterfaces = credentialInterfaces;
    const judged = this.#challengers.filter(({ credentials }) => this.#portal.handles(credentials));
    this.#all = new Selection(judged);
    this.#withoutSecrets = new Selection(judged.filter(({ exposesSecret }) => exposesSecret === false));
  }
}

/** Challengers that a connection is offered, except those that are unavailable on it. */
class Selection {
  /** True if one of the mechanisms exposes the secret. */
  readonly hasSecrets: boolean;
  readonly #challengers: readonly Challenger[];
  /** The challengers that are available only on some connections, such as -PLUS and EXTERNAL. */
  readonly #conditional: readonly Challenger[];
  /** The names by the challengers that are unavailable: a bit for each of `#conditional`. */
  readonly #names = new Map<number, readonly string[]>();

  constructor(challengers: readonly Challenger[]) {
    this.hasSecrets = challengers.some(({ exposesSecret }) => exposesSecret !== false);
    this.#challengers = challengers;
    this.#conditional = challengers.filter((challenger) => challenger.unavailable !== undefined);
  }

  namesFor(mind: Mind): readonly string[] {
    if (this.#conditional.length > MAX_CONDITIONAL_CHALLENGERS) return this.#namesWithout(unavailableOn(mind));
    let missing = 0;
    for (let index = 0; index < this.#conditional.length; index++) {
      if (this.#conditional[index]?.unavailable?.(mind) !== undefined) missing |= 1 << index;
    }
    const cached = this.#names.get(missing);
    if (cached !== undefined) return cached;
    const names = this.#namesWithout((challenger) => (missing & (1 << this.#conditional.indexOf(challenger))) !== 0);
    if (this.#names.size === MAX_CACHED_LISTS) this.#names.clear();
    this.#names.set(missing, names);
    return names;
  }

  #namesWithout(isMissing: (challenger: Challenger) => boolean): readonly string[] {
    const available = this.#challengers.filter(
      (challenger) => challenger.unavailable === undefined || !isMissing(challenger),
    );
    return Object.freeze(available.map(({ mechanism }) => mechanism));
  }
}

function unavailableOn(mind: Mind): (challenger: Challenger) => boolean {
  return (challenger) => challenger.unavailable?.(mind) !== undefined;
}

/** The bits of a number in bitwise operations, without the sign. */
const MAX_CONDITIONAL_CHALLENGERS = 31;
/** The states of a server's connections are few: without TLS, and with each kind of binding. */
const MAX_CACHED_LISTS = 64;
