import { isLocal, type Mind, type Portal } from '@postern/cred';
import type { Challenger } from './challenger.ts';

/** The operator's say in what is offered. */
export interface OfferPolicy {
  /** Offers mechanisms that expose the secret to remote peers without TLS as well. Default: false. */
  readonly cleartext?: boolean;
}

/** The challengers whose mechanisms a server may offer, and take, on this connection. The only source of that list. */
export function offered(
  challengers: readonly Challenger[],
  portal: Portal,
  mind: Mind,
  policy: OfferPolicy = {},
): readonly Challenger[] {
  return challengers.filter((challenger) => obstacle(challenger, portal, mind, policy) === undefined);
}

/** Why the mechanism is not offered on this connection, in words for the operator; undefined if it is. */
export function explain(
  challenger: Challenger,
  portal: Portal,
  mind: Mind,
  policy: OfferPolicy = {},
): string | undefined {
  const why = obstacle(challenger, portal, mind, policy);
  return why === NO_CHECKER ? `no checker for ${challenger.credentials.name}` : why;
}

/** The same, without words made for this one mechanism: nobody reads them while a list is made. */
function obstacle(challenger: Challenger, portal: Portal, mind: Mind, policy: OfferPolicy): string | undefined {
  if (!portal.handles(challenger.credentials)) return NO_CHECKER;
  if (challenger.exposesSecret !== false && !policy.cleartext && mind.tls === undefined && !isLocal(mind.remote))
    return NEEDS_TLS;
  return challenger.unavailable?.(mind);
}

const NO_CHECKER = 'no checker';
const NEEDS_TLS = 'exposes the secret: needs TLS';
