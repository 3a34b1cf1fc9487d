import type { Address } from '@postern/core';
import type { AvatarId, Mind } from '@postern/cred';
import type { SessionSettings } from '@postern/sasl-profile';
import type { MessageDelivery } from '../delivery.ts';
import type { EsmtpEvent } from '../events.ts';
import type { MessageSettings } from '../message/message-session.ts';
import type { ParameterReader } from '../protocol/extension.ts';
import type { Limits } from '../protocol/limits.ts';
import type { MailParameters, RcptParameters } from '../protocol/parameters.ts';
import type { Phases } from '../protocol/phases.ts';
import type { ReplyCache } from '../protocol/reply.ts';
import type { Service } from '../protocol/services.ts';
import type { Tolerance } from '../protocol/tolerance.ts';
import type { EhloReplies } from './ehlo-replies.ts';

/** The options of a server with all defaults, for each of its sessions. */
export interface Settings extends MessageSettings, SessionSettings<MessageDelivery, EsmtpEvent, Limits> {
  readonly protocol: 'smtp' | 'lmtp';
  readonly service: Service;
  /** The table of phases of the protocol. */
  readonly phases: Phases;
  /** The commands of the protocol. */
  readonly verbs: ReadonlySet<string>;
  readonly tolerance: Tolerance;
  readonly trustAuthParameter: (mind: Mind, avatarId: AvatarId) => boolean;
  readonly xclient: (peer: Address) => boolean;
  /** Keywords of extensions that are not offered. */
  readonly disabledExtensions: ReadonlySet<string>;
  /** The readers of the parameters of MAIL, by keyword. */
  readonly mailReaders: ReadonlyMap<string, ParameterReader<MailParameters>>;
  /** The readers of the parameters of RCPT, by keyword. */
  readonly rcptReaders: ReadonlyMap<string, ParameterReader<RcptParameters>>;
  readonly ehloReplies: EhloReplies;
  readonly heloReplies: ReplyCache;
  readonly quitReplies: ReplyCache;
}
