import type { Mind, Portal } from '@postern/cred';
import { type Challenger, explain, type MechanismPolicy, offered } from '@postern/sasl';

/** The mechanisms of a server, and what decides which of them it offers on one connection. */
export interface ChallengerOffer {
  readonly challengers: readonly Challenger[];
  readonly portal: Portal;
  readonly mind: Mind;
  /** Default: passwords only under TLS or from the same machine. */
  readonly mechanismPolicy?: MechanismPolicy | undefined;
}

/**
 * Returns the challenger for the mechanism that the client names, in any case of letters, if the
 * connection is offered it. Returns `needs-tls` if only TLS is missing, so that the server can say
 * so before the client sends its password (RFC 8314 §4.1). Returns `not-offered` otherwise.
 */
export function chooseChallenger(
  mechanism: string,
  { challengers, portal, mind, mechanismPolicy }: ChallengerOffer,
): Challenger | 'needs-tls' | 'not-offered' {
  const name = mechanism.toUpperCase();
  const challenger = challengers.find((candidate) => candidate.mechanism === name);
  if (challenger === undefined) return 'not-offered';
  if (explain(challenger, portal, mind, mechanismPolicy) === undefined) return challenger;
  const isOfferedUnderTls =
    offered([challenger], portal, mind, { ...mechanismPolicy, allowCleartext: true }).length > 0;
  return isOfferedUnderTls ? 'needs-tls' : 'not-offered';
}
