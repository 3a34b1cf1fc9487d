import { NO_BYTES } from '../bytes.ts';
import { withoutExporter } from '../scram/channel-binding.ts';
import { byStrength } from '../strength.ts';
import { SaslError, SaslFailure } from './errors.ts';
import type { Channel, Responder, Say } from './responder.ts';
import type { SaslInterface } from './sasl-interface.ts';
import { SaslStateMachine } from './sasl-state-machine.ts';

/** How a client authenticates, and over what. */
export interface ClientAuthentication {
  /** The channel's TLS. Default: none. */
  readonly tls?: Channel['tls'];
  /** True if nobody can listen in: TLS with a verified server, or a peer on the same machine. Default: false. */
  readonly secure?: boolean;
  /** Says a password or token on a channel that is not secure as well. Default: false. */
  readonly allowCleartext?: boolean;
  /** Which responder is tried first: by the strength of the mechanism, or in the order given. Default: `strength`. */
  readonly prefer?: 'strength' | 'order';
}

/**
 * Authenticates by the best mechanism that both sides have. Tries the next best after a SaslFailure, never after an
 * AuthenticationFailure nor when the server has reported success; after an exchange that was bound to the channel only such as are
 * bound, or whoever sits in between would break the one to be shown the other (RFC 5802 §6). Resolves to the responder that succeeded. Rejects with a
 * SaslError, or with what the interface rejects with; the connection is then not authenticated, or has to be closed.
 */
export async function authenticate(
  responders: readonly Responder[],
  offered: readonly string[],
  saslInterface: SaslInterface,
  { tls, secure = false, allowCleartext = false, prefer = 'strength' }: ClientAuthentication = {},
): Promise<Responder> {
  let channel: Channel = { tls, secure, offered };
  let bound = false;
  const { usable, reasons } = choose(responders, channel, allowCleartext);
  if (prefer === 'strength') usable.sort(byStrength);

  for (const responder of usable) {
    const binding = responder.channelBinding?.(channel);
    if (bound && binding === undefined) {
      reasons.push(`${responder.mechanism}: not bound to the channel, as the one before was`);
      continue;
    }
    const machine = new SaslStateMachine(saslInterface);
    try {
      await run(responder, machine, channel);
      return responder;
    } catch (error) {
      if (!(error instanceof SaslFailure) || machine.reported) throw error;
      reasons.push(`${responder.mechanism}: ${error.message}`);
      if (binding === undefined || machine.state === 'initial') continue;
      bound = true;
      if (binding === 'tls-exporter') channel = { ...channel, tls: withoutExporter(tls) };
    }
  }
  throw new SaslFailure(reasons.length > 0 ? `no mechanism worked out: ${reasons.join('; ')}` : noneCommon(offered));
}

/** The responders that the server offers and that may be used on this channel, and why the others may not. */
function choose(responders: readonly Responder[], channel: Channel, allowCleartext: boolean) {
  const usable: Responder[] = [];
  const reasons: string[] = [];
  const names = new Set(channel.offered.map((name) => name.toUpperCase()));
  for (const responder of responders) {
    if (!names.has(responder.mechanism)) continue;
    const exposed = responder.exposesSecret !== false && !channel.secure && !allowCleartext;
    const reason = exposed ? 'exposes the secret on a channel that is not secure' : responder.unavailable?.(channel);
    if (reason === undefined) usable.push(responder);
    else reasons.push(`${responder.mechanism}: ${reason}`);
  }
  return { usable, reasons };
}

/** One exchange. If the responder gives it up while the server still waits for a response, it is cancelled. */
async function run(responder: Responder, machine: SaslStateMachine, channel: Channel): Promise<void> {
  const say: Say = async (message) => {
    const begins = machine.state === 'initial';
    const { state, payload } = begins
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

/** A server that does not take the cancelling well is no other outcome; a connection that is lost is. */
async function cancel(machine: SaslStateMachine): Promise<void> {
  try {
    await machine.abort();
  } catch (error) {
    if (!(error instanceof SaslError)) throw error;
  }
}

function noneCommon(offered: readonly string[]): string {
  if (offered.length === 0) return 'the server offers no mechanism';
  return `there is no responder for what the server offers: ${offered.join(', ')}`;
}
