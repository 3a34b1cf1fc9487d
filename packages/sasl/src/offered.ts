import { type Address, isLocal } from '@postern/core';
import type { Mind, Portal } from '@postern/cred';
import type { Challenger } from './challenger.ts';

/** The operator's say in what is offered. */
export interface MechanismPolicy {
  /**
   * The remote peers without TLS that are offered mechanisms that expose the secret: all, or those for
   * which the function returns true. Default: none.
   */
  readonly allowCleartext?: boolean | ((remote: Address) => boolean);
}

/** The challengers whose mechanisms a server may offer, and take, on this connection. The only source of that list. */
export function offered(
  challengers: readonly Challenger[],
  portal: Portal,
  mind: Mind,
  policy: MechanismPolicy = {},
): readonly Challenger[] {
  return challengers.filter((challenger) => obstacle(challenger, portal, mind, policy) === undefined);
}

/** Why the mechanism is not offered on this connection, in words for the operator; undefined if it is. */
export function explain(
  challenger: Challenger,
  portal: Portal,
  mind: Mind,
  policy: MechanismPolicy = {},
): string | undefined {
  const why = obstacle(challenger, portal, mind, policy);
  return why === NO_CHECKER ? `no checker for ${challenger.credentials.name}` : why;
}

/** The same, without words made for this one mechanism: nobody reads them while a list is made. */
function obstacle(challenger: Challenger, portal: Portal, mind: Mind, policy: MechanismPolicy): string | undefined {
  if (!portal.handles(challenger.credentials)) return NO_CHECKER;
  if (challenger.exposesSecret !== false && mind.tls === undefined && !mayExpose(mind.remote, policy)) return NEEDS_TLS;
  return challenger.unavailable?.(mind);
}

function mayExpose(remote: Address, { allowCleartext = false }: MechanismPolicy): boolean {
  return isLocal(remote) || (typeof allowCleartext === 'function' ? allowCleartext(remote) : allowCleartext);
}

const NO_CHECKER = 'no checker';
const NEEDS_TLS = 'exposes the secret: needs TLS';
