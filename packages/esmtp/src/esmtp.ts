import { randomBytes } from 'node:crypto';
import type { Protocol } from '@postern/conversation';
import { type AvatarId, type Clock, type Mind, type Portal, systemClock } from '@postern/cred';
import { type Challenger, checkChallengers, challengers as family, type OfferPolicy } from '@postern/sasl';
import { isAddressLiteral, isDomain } from './address.ts';
import type { EventListener } from './events.ts';
import { type Limits, withDefaults } from './limits.ts';
import { lead } from './session.ts';
import type { Settings } from './settings.ts';
import { State } from './state.ts';

export interface EsmtpOptions {
  /** This server's name, as it says it in the greeting and in `Received:` fields: a domain or an address literal. */
  readonly hostname: string;
  /** Where clients log in, for an avatar that is a MessageDelivery. */
  readonly portal: Portal;
  /** The mechanisms; which of them a connection is offered, `offered` decides. Default: the whole family. */
  readonly challengers?: readonly Challenger[];
  /**
   * Whether AUTH must come before mail. If it is optional, who sends MAIL without is logged in as Anonymous, and gets a 530 if the portal
   * has no checker for that. Default: required (RFC 6409 §4.3).
   */
  readonly authentication?: 'required' | 'optional';
  readonly offer?: OfferPolicy;
  /** Whether this user's word on who submitted a message first is passed on (MAIL AUTH=, RFC 4954 §5). Default: nobody's. */
  readonly trustSubmitter?: (mind: Mind, avatarId: AvatarId) => boolean;
  readonly limits?: Partial<Limits>;
  readonly onEvent?: EventListener;
  readonly clock?: Clock;
}

/**
 * The ESMTP server (RFC 5321, RFC 4954, RFC 6409) as a protocol for conversations. The endpoint's word on TLS comes with the transport.
 * Throws a TypeError or a RangeError if the options cannot work. The protocol never rejects.
 */
export function esmtp(options: EsmtpOptions): Protocol {
  const settings = settle(options);
  return (conversation) => lead(new State(conversation, settings));
}

function settle(options: EsmtpOptions): Settings {
  const { hostname, limits } = options;
  if (!isAddressLiteral(hostname) && !(isDomain(hostname) && /^[!-~]+$/.test(hostname))) {
    throw new TypeError(`hostname: a domain or an address literal is wanted, not ${JSON.stringify(hostname)}`);
  }
  return {
    hostname,
    portal: options.portal,
    challengers: checkChallengers(options.challengers ?? family({ hostname })),
    authentication: options.authentication ?? 'required',
    offer: options.offer ?? {},
    trustSubmitter: options.trustSubmitter ?? (() => false),
    limits: withDefaults(limits),
    onEvent: options.onEvent,
    clock: options.clock ?? systemClock,
    nextId: ids(),
  };
}

/** Ids of this server's own: when it began, chance for two that began together, and a number. */
function ids(): () => string {
  const server = Date.now().toString(36) + randomBytes(5).toString('hex');
  let last = 0;
  return () => `${server}${(++last).toString(36).padStart(5, '0')}`;
}
