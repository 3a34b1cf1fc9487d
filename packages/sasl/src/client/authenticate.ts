import { NO_BYTES } from '../bytes.ts';
import { withoutExporter } from '../scram/channel-binding.ts';
import { byStrength } from '../strength.ts';
import { SaslError, SaslFailure } from './errors.ts';
import type { Channel, Responder, Say } from './responder.ts';
import type { SaslInterface } from './sasl-interface.ts';
import { SaslStateMachine } from './sasl-state-machine.ts';

/** The channel of an authentication, and the choice among the mechanisms. */
export interface ClientAuthentication {
  /** The channel's TLS. Default: none. */
  readonly tls?: Channel['tls'];
  /**
   * True if no attacker can listen: TLS with a verified server, or a server on the same machine.
   * Default: false.
   */
  readonly secure?: boolean;
  /** Sends a password or token on a channel that is not secure as well. Default: false. */
  readonly allowCleartext?: boolean;
  /**
   * The order of the attempts: by the strength of the mechanism, or as given. Default: `strength`.
   */
  readonly prefer?: 'strength' | 'order';
}

/**
 * Authenticates with the strongest mechanism that both sides have. Resolves with the responder that
 * succeeded. After a SaslFailure it tries the next mechanism. It stops at an AuthenticationFailure,
 * and once the server has reported success. After an exchange that was bound to the channel it
 * tries bound mechanisms only: an attacker in the middle would break that exchange to see an
 * unbound one (RFC 5802 §6). After a rejection the connection is not authenticated, or has to be
 * closed.
 *
 * @throws AuthenticationFailure if the server refuses the credentials, or is an impostor.
 * @throws SaslFailure if no mechanism succeeded. The message has the reason of each.
 * @throws the error of the interface if the connection is lost.
 *
 * @example
 * ```ts
 * import { authenticate, passwordResponders, type SaslInterface } from '@postern/sasl/client';
 *
 * export async function logIn(saslInterface: SaslInterface, offered: readonly string[]) {
 *   const responders = passwordResponders({ username: 'ann', password: 'secret' });
 *   const { mechanism } = await authenticate(responders, offered, saslInterface, { secure: true });
 *   return mechanism;
 * }
 * ```
 */
export async function authenticate(
  responders: readonly Responder[],
  offered: readonly string[],
  saslInterface: SaslInterface,
  { tls, secure = false, allowCleartext = false, prefer = 'strength' }: ClientAuthentication = {},
): Promise<Responder> {
  let channel: Channel = { tls, secure, offered };
  let mustBind = false;
  const { usable, reasons } = choose(responders, channel, allowCleartext);
  if (prefer === 'strength') usable.sort(byStrength);

  for (const responder of usable) {
    const binding = responder.channelBinding?.(channel);
    if (mustBind && binding === undefined) {
      reasons.push(`${responder.mechanism}: does not bind to the channel, as the mechanism before it does`);
      continue;
    }
    const machine = new SaslStateMachine(saslInterface);
    try {
      await run(responder, machine, channel);
      return responder;
    } catch (error) {
      if (!(error instanceof SaslFailure) || machine.hasReportedSuccess) throw error;
      reasons.push(`${responder.mechanism}: ${error.message}`);
      if (binding === undefined || machine.state === 'initial') continue;
      mustBind = true;
      if (binding === 'tls-exporter') channel = { ...channel, tls: withoutExporter(tls) };
    }
  }
  throw new SaslFailure(
    reasons.length > 0 ? `no mechanism succeeded: ${reasons.join('; ')}` : noCommonMechanism(offered),
  );
}

/**
 * Returns the responders of offered mechanisms that this channel allows, and the reasons against
 * the others.
 */
function choose(responders: readonly Responder[], channel: Channel, allowCleartext: boolean) {
  const usable: Responder[] = [];
  const reasons: string[] = [];
  const names = new Set(channel.offered.map((name) => name.toUpperCase()));
  for (const responder of responders) {
    if (!names.has(responder.mechanism)) continue;
    const exposed = responder.exposesSecret !== false && !channel.secure && !allowCleartext;
    const reason = exposed ? 'exposes the secret, and the channel is not secure' : responder.unavailable?.(channel);
    if (reason === undefined) usable.push(responder);
    else reasons.push(`${responder.mechanism}: ${reason}`);
  }
  return { usable, reasons };
}

/**
 * Runs one exchange. Cancels it if the responder fails while the server still waits for a response.
 */
async function run(responder: Responder, machine: SaslStateMachine, channel: Channel): Promise<void> {
  const say: Say = async (message) => {
    const { state, payload } =
      machine.state === 'initial'
        ? await machine.initiate(responder.mechanism, message)
        : await machine.respond(message ?? NO_BYTES);
    return state === 'success' ? undefined : payload;
  };
  try {
    await responder.respond(say, channel);
    if (machine.state !== 'success') throw new SaslFailure('the exchange ended before the server reported success');
  } catch (error) {
    if (machine.state === 'challenge') await cancel(machine);
    throw error;
  }
}

/**
 * Ignores a server's error on the cancellation: the outcome is the responder's. A lost connection
 * is another outcome.
 */
async function cancel(machine: SaslStateMachine): Promise<void> {
  try {
    await machine.abort();
  } catch (error) {
    if (!(error instanceof SaslError)) throw error;
  }
}

function noCommonMechanism(offered: readonly string[]): string {
  if (offered.length === 0) return 'the server offers no mechanism';
  return `no responder for the mechanisms of the server: ${offered.join(', ')}`;
}
