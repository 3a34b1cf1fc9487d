import { type Address, isLocal } from '@postern/core';
import type { Mind, Portal } from '@postern/cred';
import type { Challenger } from './challenger.ts';

/** The operator's rules for the mechanisms that a server offers. */
export interface MechanismPolicy {
  /**
   * The remote clients without TLS that are offered mechanisms that expose the secret: all, or
   * those for which the function returns true. Default: none.
   */
  readonly allowCleartext?: boolean | ((remote: Address) => boolean);
}

/**
 * Returns the challengers whose mechanisms a server may offer and accept on this connection, in
 * their order. A mechanism needs a checker for its credentials, and a mechanism that exposes the
 * secret also needs TLS, the same machine, or the policy's permission.
 *
 * @example
 * ```ts
 * import type { Mind, Portal } from '@postern/cred';
 * import { defaultChallengers, offered } from '@postern/sasl';
 *
 * const challengers = defaultChallengers({ hostname: 'mail.example.com' });
 *
 * export function capability(portal: Portal, mind: Mind): string {
 *   return offered(challengers, portal, mind)
 *     .map(({ mechanism }) => `AUTH=${mechanism}`)
 *     .join(' ');
 * }
 * ```
 */
export function offered(
  challengers: readonly Challenger[],
  portal: Portal,
  mind: Mind,
  policy: MechanismPolicy = {},
): readonly Challenger[] {
  return challengers.filter((challenger) => obstacle(challenger, portal, mind, policy) === undefined);
}

/**
 * Returns why this connection is not offered the mechanism, in words for the operator. Returns
 * undefined if it is.
 */
export function explain(
  challenger: Omit<Challenger, 'challenge'>,
  portal: Portal,
  mind: Mind,
  policy: MechanismPolicy = {},
): string | undefined {
  const reason = obstacle(challenger, portal, mind, policy);
  return reason === NO_CHECKER ? `no checker for ${challenger.credentials.name}` : reason;
}

/** Returns a constant where `explain` builds a text: `offered` discards it. */
function obstacle(
  challenger: Omit<Challenger, 'challenge'>,
  portal: Portal,
  mind: Mind,
  policy: MechanismPolicy,
): string | undefined {
  if (!portal.handles(challenger.credentials)) return NO_CHECKER;
  if (challenger.exposesSecret !== false && !mayExposeSecret(mind, policy)) return NEEDS_TLS;
  return challenger.unavailable?.(mind);
}

/**
 * Returns true if this connection may be offered mechanisms that expose the secret: it has TLS, its
 * client is on the same machine, or the policy allows it.
 */
export function mayExposeSecret(
  { remote, tls }: Pick<Mind, 'remote' | 'tls'>,
  { allowCleartext = false }: MechanismPolicy,
): boolean {
  if (tls !== undefined) return true;
  // Only true: the promise of an async function would allow every peer.
  return isLocal(remote) || (typeof allowCleartext === 'function' ? allowCleartext(remote) : allowCleartext) === true;
}

const NO_CHECKER = 'no checker';
const NEEDS_TLS = 'exposes the secret: needs TLS';
