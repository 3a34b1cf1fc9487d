import type { Challenger } from './challenger.ts';

/**
 * How a server uses channel binding, where the operator names no mechanisms.
 *
 * - `off`: no -PLUS mechanism. Under TLS, of the SCRAM family only the hashes that GNU SASL does
 *   not know: its clients hold binding data there, and refuse SCRAM-SHA-1 and -256 without their
 *   -PLUS.
 * - `offered`: all mechanisms. Clients of Cyrus SASL that cannot bind, such as mutt, do not log in.
 * - `required`: only mechanisms that bind to the channel: the -PLUS mechanisms, and EXTERNAL, whose
 *   certificate the client proves in the handshake of this very channel.
 */
export type ChannelBindingPolicy = 'off' | 'offered' | 'required';

/**
 * Returns why the policy omits the mechanism on each connection, in words for the operator. Returns
 * undefined if it does not.
 */
export function omittedByPolicy(
  { mechanism, bindsToChannel = false }: Challenger,
  policy: ChannelBindingPolicy,
): string | undefined {
  if (policy === 'required' && !bindsToChannel) return 'does not bind to the channel, which is required';
  if (policy === 'off' && mechanism.endsWith('-PLUS')) return 'channel binding is off';
  return undefined;
}
