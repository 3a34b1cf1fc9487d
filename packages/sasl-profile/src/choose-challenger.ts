import type { Mind, Portal } from '@postern/cred';
import { type Challenger, explain, type MechanismPolicy } from '@postern/sasl';

/** The mechanisms of a server, and what decides which of them it offers on one connection. */
export interface ChallengerOffer {
  readonly challengers: readonly Challenger[];
  readonly portal: Portal;
  readonly mind: Mind;
  /** Default: passwords only under TLS or from the same machine. */
  readonly mechanismPolicy?: MechanismPolicy | undefined;
}

/**
 * Why a connection is not offered a mechanism. `needs-tls`: only TLS is missing. `not-offered`: the
 * server lacks the mechanism or a checker for it, or it cannot work on this connection.
 */
export type OfferObstacle = 'needs-tls' | 'not-offered';

/** The challenger of a client's choice, or why the server refuses the choice. */
export type ChosenChallenger = Challenger | OfferObstacle;

/**
 * Returns the challenger for the mechanism that the client names, in any case of letters, if the
 * connection is offered it. Returns `needs-tls` if only TLS is missing, so that the server can say
 * so before the client sends its password (RFC 8314 §4.1). Returns `not-offered` otherwise.
 */
export function chooseChallenger(
  mechanism: string,
  { challengers, portal, mind, mechanismPolicy }: ChallengerOffer,
): ChosenChallenger {
  const name = mechanism.toUpperCase();
  const challenger = challengers.find((candidate) => candidate.mechanism === name);
  return chosenOr(challenger, offerObstacle(challenger, portal, mind, mechanismPolicy));
}

/** Returns the challenger, or why the server refuses the choice. */
export function chosenOr(challenger: Challenger | undefined, obstacle: OfferObstacle | undefined): ChosenChallenger {
  return challenger === undefined ? 'not-offered' : (obstacle ?? challenger);
}

/**
 * Returns why the connection is not offered the mechanism; undefined if it is. `undefined` for a
 * mechanism that the server does not have.
 */
export function offerObstacle(
  mechanism: Omit<Challenger, 'challenge'> | undefined,
  portal: Portal,
  mind: Mind,
  policy?: MechanismPolicy,
): OfferObstacle | undefined {
  if (mechanism === undefined) return 'not-offered';
  if (explain(mechanism, portal, mind, policy) === undefined) return undefined;
  const isOfferedUnderTls = explain(mechanism, portal, mind, { ...policy, allowCleartext: true }) === undefined;
  return isOfferedUnderTls ? 'needs-tls' : 'not-offered';
}
