import type { Address, Clock } from '@postern/core';
import type { AvatarId, Mind, Portal } from '@postern/cred';
import type { ChallengePacer } from '@postern/sasl';
import type { EventReporter, MechanismOffer } from '@postern/sasl-profile';
import type { EsmtpEvent } from '../events.ts';
import type { MessageSettings } from '../message/message-session.ts';
import { isAddressLiteral, isDomain } from '../protocol/domain.ts';
import type { ParameterReader } from '../protocol/extension.ts';
import type { Limits } from '../protocol/limits.ts';
import type { MailParameters, RcptParameters } from '../protocol/parameters.ts';
import type { Phases } from '../protocol/phases.ts';
import type { ReplyCache } from '../protocol/reply.ts';
import type { Service } from '../protocol/services.ts';
import type { Tolerance } from '../protocol/tolerance.ts';
import type { EhloReplies } from './ehlo-replies.ts';

/** The options of a server with all defaults, for each of its sessions. */
export interface Settings extends MessageSettings {
  readonly service: Service;
  /** The table of phases of the protocol. */
  readonly phases: Phases;
  /** The commands of the protocol. */
  readonly verbs: ReadonlySet<string>;
  readonly tolerance: Tolerance;
  readonly hostname: string | ((mind: Mind) => string);
  readonly portal: Portal;
  /** Returns the mechanisms of a session, by its hostname. */
  readonly offerFor: (session: { readonly hostname: string }) => MechanismOffer;
  readonly trustAuthParameter: (mind: Mind, avatarId: AvatarId) => boolean;
  readonly xclient: (peer: Address) => boolean;
  /** Keywords of extensions that are not offered. */
  readonly disabledExtensions: ReadonlySet<string>;
  /** The readers of the parameters of MAIL, by keyword. */
  readonly mailReaders: ReadonlyMap<string, ParameterReader<MailParameters>>;
  /** The readers of the parameters of RCPT, by keyword. */
  readonly rcptReaders: ReadonlyMap<string, ParameterReader<RcptParameters>>;
  readonly limits: Limits;
  readonly events: EventReporter<EsmtpEvent>;
  readonly logUsernames: boolean;
  readonly clock: Clock;
  /** Delays the first challenges of all connections. */
  readonly challengePacer: ChallengePacer;
  readonly ehloReplies: EhloReplies;
  readonly heloReplies: ReplyCache;
  readonly quitReplies: ReplyCache;
}

/**
 * Returns the hostname of a server.
 *
 * @throws TypeError for a value that is neither an ASCII domain nor an address literal.
 */
export function checkHostname(hostname: string): string {
  if (typeof hostname === 'string') {
    if (isAddressLiteral(hostname) || (isDomain(hostname) && /^[!-~]+$/.test(hostname))) return hostname;
  }
  throw new TypeError(`hostname: expected an ASCII domain or an address literal, not ${JSON.stringify(hostname)}`);
}
