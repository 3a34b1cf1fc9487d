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
  return challengers.filter((challenger) => explain(challenger, portal, mind, policy) === undefined);
}

/** Why the mechanism is not offered on this connection, in words for the operator; undefined if it is. */
export function explain(
  challenger: Challenger,
  portal: Portal,
  mind: Mind,
  policy: OfferPolicy = {},
): string | undefined {
  if (!portal.handles(challenger.credentials)) return `no checker for ${challenger.credentials.name}`;
  if (challenger.exposesSecret && !policy.cleartext && mind.tls === undefined && !isLocal(mind.remote)) {
    return 'exposes the secret: needs TLS';
  }
  return challenger.unavailable?.(mind);
}
