import type { Mind } from '@postern/cred';
import type { Challenger } from './challenger.ts';

/**
 * How a server uses channel binding, where the operator names no mechanisms.
 *
 * - `off`: no -PLUS mechanism. Under TLS, of the SCRAM family only the hashes that GNU SASL does not
 *   know: its clients hold binding data there, and refuse SCRAM-SHA-1 and -256 without their -PLUS.
 * - `offered`: all mechanisms. Clients of Cyrus SASL that cannot bind, such as mutt, do not log in.
 * - `required`: only mechanisms that bind to the channel: the -PLUS mechanisms, and EXTERNAL, whose
 *   certificate the client proves in the handshake of this very channel.
 */
export type ChannelBindingPolicy = 'off' | 'offered' | 'required';

/** True if an exchange of this mechanism cannot be relayed from one TLS channel to another. */
export function bindsToChannel(mechanism: string): boolean {
  return mechanism.endsWith('-PLUS') || mechanism === 'EXTERNAL';
}

/** Why the policy leaves the mechanism out everywhere, in words for the operator; undefined if it does not. */
export function leftOutByPolicy(mechanism: string, policy: ChannelBindingPolicy): string | undefined {
  if (policy === 'required' && !bindsToChannel(mechanism)) return 'does not bind to the channel, which is required';
  if (policy === 'off' && mechanism.endsWith('-PLUS')) return 'channel binding is off';
  return undefined;
}

/** Returns the challenger as it serves under the policy: perhaps on fewer connections. */
export function withPolicy(challenger: Challenger, policy: ChannelBindingPolicy): Challenger {
  if (policy !== 'off' || !OLDER_HASHES.test(challenger.mechanism)) return challenger;
  return {
    ...challenger,
    unavailable: (mind: Mind) => (mind.tls === undefined ? challenger.unavailable?.(mind) : SHUTS_OUT),
  };
}

/** All hashes but SHA-512 and SHA3-512. GNU SASL knows two of these; no client needs the others. */
const OLDER_HASHES = /^SCRAM-SHA-(?:1|224|256|384)$/;
const SHUTS_OUT = 'under TLS it would shut out msmtp and gsasl, unless channel binding is offered';
