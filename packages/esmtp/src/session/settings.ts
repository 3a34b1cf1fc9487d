import type { Warnings } from '@postern/conversation';
import type { Address, AvatarId, Clock, Mind, Portal } from '@postern/cred';
import type { Challenger, MechanismPolicy } from '@postern/sasl';
import type { MailParameters, RcptParameters } from '../delivery.ts';
import type { EventListener } from '../events.ts';
import type { MessageSettings } from '../message/message-session.ts';
import type { Extension, ParameterReader } from '../protocol/extension.ts';
import type { Limits } from '../protocol/limits.ts';
import type { Phases } from '../protocol/phases.ts';
import type { Reply } from '../protocol/reply.ts';
import type { ReplyCache } from '../protocol/reply-cache.ts';
import type { Service } from '../protocol/services.ts';
import type { Tolerance } from '../protocol/tolerance.ts';

/** What one server has decided, for all of its connections. */
export interface Settings extends MessageSettings {
  readonly service: Service;
  /** Those of the protocol. */
  readonly phases: Phases;
  /** What clients may say beyond the grammar. */
  readonly tolerance: Tolerance;
  readonly portal: Portal;
  readonly challengers: readonly Challenger[];
  readonly mechanismPolicy: MechanismPolicy;
  readonly trustAuthParameter: (mind: Mind, avatarId: AvatarId) => boolean;
  readonly xclient: (peer: Address) => boolean;
  /** Keywords of extensions that are not offered. */
  readonly disabledExtensions: ReadonlySet<string>;
  readonly extensions: readonly Extension[];
  /** By the keywords of the parameters. */
  readonly mailReaders: ReadonlyMap<string, ParameterReader<MailParameters>>;
  readonly rcptReaders: ReadonlyMap<string, ParameterReader<RcptParameters>>;
  readonly limits: Limits;
  readonly onEvent: EventListener | undefined;
  /** For what no listener hears. */
  readonly warnings: Warnings;
  readonly logUsernames: boolean;
  readonly clock: Clock;
  /** The reply to EHLO. */
  readonly ehloReplies: ReplyCache;
  /** The reply to QUIT. */
  readonly quitReply: Reply;
}
