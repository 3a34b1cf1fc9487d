import type { Deadlines, MemoryBudget, MemoryBudgetOptions, TurnQueue } from '@postern/conversation';
import type { Clock, Portal, PortalOptions, Realm } from '@postern/cred';
import type { EsmtpOptions } from '@postern/esmtp';
import type { MaildirOptions } from '@postern/maildir';
import type { Certificates } from '@postern/node';
import type { SmarthostOptions } from '@postern/relay';
import type { Challenger, ChallengersOptions } from '@postern/sasl';
import type { ThrottleOptions } from '@postern/throttle';
import type { ServiceIdentifier } from 'inversify';
import type { BoundAvatar } from './bind-avatar.ts';
import type { BoundChallenger } from './bind-challenger.ts';
import type { BoundChecker } from './bind-checker.ts';
import type { BoundListener } from './bind-listener.ts';
import type { EsmtpFactory } from './esmtp-module.ts';
import type { Server } from './server.ts';

/**
 * What the modules bind, and what they look for. Symbols of the registry, so that they are the same in every copy of this package;
 * cast and not annotated, since an annotation would narrow them to `symbol`.
 */
export const identifiers = {
  /** The whole; from nodeModule. */
  Server: Symbol.for('@postern/Server') as ServiceIdentifier<Server>,

  /** From credModule. */
  Portal: Symbol.for('@postern/Portal') as ServiceIdentifier<Portal>,
  /** From saslModule: the bound challengers before those of the family. */
  Challengers: Symbol.for('@postern/Challengers') as ServiceIdentifier<readonly Challenger[]>,
  /** From esmtpModule. */
  Esmtp: Symbol.for('@postern/Esmtp') as ServiceIdentifier<EsmtpFactory>,
  /** From conversationModule: one for all connections. */
  Deadlines: Symbol.for('@postern/Deadlines') as ServiceIdentifier<Deadlines>,
  /** From conversationModule: one for all connections. */
  TurnQueue: Symbol.for('@postern/TurnQueue') as ServiceIdentifier<TurnQueue>,
  /** From conversationModule: one for all connections of the process. */
  MemoryBudget: Symbol.for('@postern/MemoryBudget') as ServiceIdentifier<MemoryBudget>,
  /** May be bound by the application: the bounds of the MemoryBudget. */
  MemoryBudgetOptions: Symbol.for('@postern/MemoryBudgetOptions') as ServiceIdentifier<MemoryBudgetOptions>,

  /** To be bound by the application: this server's name. */
  Hostname: Symbol.for('@postern/Hostname') as ServiceIdentifier<string>,
  /** To be bound where maildirModule is loaded: the folder of the Maildirs. */
  MaildirFolder: Symbol.for('@postern/MaildirFolder') as ServiceIdentifier<string>,
  /** To be bound where relayModule is loaded: where messages go on to. */
  SmarthostOptions: Symbol.for('@postern/SmarthostOptions') as ServiceIdentifier<SmarthostOptions>,

  /** May be bound by the application; what is not has the defaults of its package. */
  Clock: Symbol.for('@postern/Clock') as ServiceIdentifier<Clock>,
  PortalOptions: Symbol.for('@postern/PortalOptions') as ServiceIdentifier<PortalOptions>,
  /** If it is bound, all checkers are guarded with withThrottle, and count together. */
  Throttle: Symbol.for('@postern/Throttle') as ServiceIdentifier<ThrottleOptions>,
  ChallengersOptions: Symbol.for('@postern/ChallengersOptions') as ServiceIdentifier<
    Omit<ChallengersOptions, 'hostname'>
  >,
  EsmtpOptions: Symbol.for('@postern/EsmtpOptions') as ServiceIdentifier<Partial<EsmtpOptions>>,
  MaildirOptions: Symbol.for('@postern/MaildirOptions') as ServiceIdentifier<MaildirOptions>,
  /** For listeners that do not bring their own. */
  Certificates: Symbol.for('@postern/Certificates') as ServiceIdentifier<Certificates>,
  /** Hears at start what is allowed and surely not meant. Default: a warning of the process. */
  Warn: Symbol.for('@postern/Warn') as ServiceIdentifier<(warning: string) => void>,

  /** Bound by bindRealm, bindAvatar, bindChecker, bindChallenger and bindListener. */
  Realm: Symbol.for('@postern/Realm') as ServiceIdentifier<Realm>,
  Avatar: Symbol.for('@postern/Avatar') as ServiceIdentifier<BoundAvatar>,
  Checker: Symbol.for('@postern/Checker') as ServiceIdentifier<BoundChecker>,
  Challenger: Symbol.for('@postern/Challenger') as ServiceIdentifier<BoundChallenger>,
  Listener: Symbol.for('@postern/Listener') as ServiceIdentifier<BoundListener>,
} as const;
