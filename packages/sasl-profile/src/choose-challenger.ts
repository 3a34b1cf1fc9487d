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

/** The challenger of a client's choice, or why the server refuses the choice. */
export type ChosenChallenger = Challenger | 'needs-tls' | 'not-offered';

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
  return judgeChoice(challenger, portal, mind, mechanismPolicy);
}

/** Returns the challenger if the connection is offered it. Undefined: the server has none. */
export function judgeChoice(
  challenger: Challenger | undefined,
  portal: Portal,
  mind: Mind,
  policy?: MechanismPolicy,
): ChosenChallenger {
  if (challenger === undefined) return 'not-offered';
  if (explain(challenger, portal, mind, policy) === undefined) return challenger;
  const isOfferedUnderTls = offered([challenger], portal, mind, { ...policy, allowCleartext: true }).length > 0;
  return isOfferedUnderTls ? 'needs-tls' : 'not-offered';
}
