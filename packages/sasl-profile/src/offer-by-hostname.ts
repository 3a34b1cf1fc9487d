import type { Portal } from '@postern/cred';
import { type Challenger, checkChallengers, defaultChallengers, type MechanismPolicy } from '@postern/sasl';
import { MechanismOffer } from './mechanism-offer.ts';

/** The mechanisms of a server: a list, or a function that returns the list of one hostname. */
export type ChallengersOption = readonly Challenger[] | ((hostname: string) => readonly Challenger[]);

/** The options that decide which mechanisms a server offers. */
export interface OfferOptions {
  readonly portal: Portal;
  /** Default: `defaultChallengers({ hostname })` of `@postern/sasl`. */
  readonly challengers?: ChallengersOption | undefined;
  readonly mechanismPolicy?: MechanismPolicy | undefined;
}

/** The mechanisms of a server by its hostname. */
export interface OfferByHostname {
  /** The challengers of one hostname. All hostnames have the same classes of credentials. */
  readonly challengers: readonly Challenger[];
  /**
   * Returns the offer of a session. Keeps those of recent hostnames, which clients may choose
   * (SNI).
   */
  readonly offerFor: (session: { readonly hostname: string }) => MechanismOffer;
}

/**
 * Returns the mechanisms of a server with this hostname, or with one for each connection
 * (undefined).
 *
 * @throws TypeError for a list that names a mechanism twice, or that has an invalid name.
 */
export function offerByHostname(hostname: string | undefined, options: OfferOptions): OfferByHostname {
  const { portal, mechanismPolicy, challengers = (name) => defaultChallengers({ hostname: name }) } = options;
  if (typeof challengers === 'function' && hostname === undefined) {
    const offerOf = (name: string): MechanismOffer =>
      new MechanismOffer(checkChallengers(challengers(name)), portal, mechanismPolicy);
    return { challengers: checkChallengers(challengers('localhost')), offerFor: cachedByHostname(offerOf) };
  }
  const list = checkChallengers(typeof challengers === 'function' ? challengers(hostname ?? '') : challengers);
  const offer = new MechanismOffer(list, portal, mechanismPolicy);
  return { challengers: list, offerFor: () => offer };
}

function cachedByHostname(offerOf: (hostname: string) => MechanismOffer): OfferByHostname['offerFor'] {
  const cache = new Map<string, MechanismOffer>();
  return ({ hostname }) => {
    const cached = cache.get(hostname);
    if (cached !== undefined) return cached;
    if (cache.size === MAX_CACHED_HOSTNAMES) cache.clear();
    const offer = offerOf(hostname);
    cache.set(hostname, offer);
    return offer;
  };
}

const MAX_CACHED_HOSTNAMES = 100;
