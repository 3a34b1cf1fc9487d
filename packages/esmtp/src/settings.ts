import type { Warnings } from '@postern/conversation';
import type { Address, AvatarId, Clock, Mind, Portal } from '@postern/cred';
import type { Challenger, MechanismPolicy } from '@postern/sasl';
import type { DateCache } from './date-format.ts';
import type { MailParameters, RcptParameters } from './delivery.ts';
import type { EventListener } from './events.ts';
import type { Extension, ParameterReader } from './extensions.ts';
import type { Limits } from './limits.ts';
import type { Phases } from './phases.ts';
import type { ReplyCache } from './repeated-reply.ts';
import type { Reply } from './reply.ts';
import type { Policy, Service } from './services.ts';
import type { Tolerance } from './tolerance.ts';

/** What one server has decided, for all of its connections. */
export interface Settings extends Policy {
  readonly service: Service;
  readonly protocol: 'smtp' | 'lmtp';
  /** Those of the protocol. */
  readonly phases: Phases;
  /** What clients may say beyond the grammar. */
  readonly tolerance: Tolerance;
  readonly hostname: string;
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
  readonly dates: DateCache;
  /** The reply to EHLO. */
  readonly ehloReplies: ReplyCache;
  /** The reply to QUIT. */
  readonly quitReply: Reply;
  /** The id for the next message: unique in time and on this host. */
  readonly nextId: () => string;
}
