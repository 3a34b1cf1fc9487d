import type { Deadlines, MemoryBudget, MemoryBudgetOptions, Protocol, TurnQueue } from '@postern/conversation';
import type { AnyChecker, AvatarFactory, Clock, Interface, Portal, PortalOptions, Realm } from '@postern/cred';
import type {
  DovecotAuthOptions,
  DovecotUserdbOptions,
  PolicyOptions,
  SaslauthdOptions,
  SocketmapOptions,
} from '@postern/dovecot-auth';
import type { EsmtpOptions } from '@postern/esmtp';
import type { HttpHandler, HttpProtocolOptions } from '@postern/http/node';
import type { ImapOptions } from '@postern/imap';
import type { MaildirOptions } from '@postern/maildir';
import type { ManageSieveOptions } from '@postern/managesieve';
import type { Certificates, ListenOptions, ServeOptions } from '@postern/node';
import type { Pop3Options } from '@postern/pop3';
import type { SmarthostOptions } from '@postern/relay';
import type { Challenger, ChallengersOptions } from '@postern/sasl';
import type { ThrottleOptions } from '@postern/throttle';
import type { ServiceIdentifier } from 'inversify';

/** An avatar's factory with the name of its binding. */
export interface BoundAvatar {
  readonly name: string;
  readonly avatarInterface: Interface<object>;
  readonly factory: AvatarFactory<object>;
}

/** A checker with the name of its binding. */
export interface BoundChecker {
  readonly name: string;
  readonly checker: AnyChecker;
  /** The place in the cascade; undefined if the checker is registered by itself. */
  readonly order?: number;
}

/** A challenger with the name of its binding. */
export interface BoundChallenger {
  readonly name: string;
  readonly challenger: Challenger;
}

/** The options of one listener. The bound certificates and clock are defaults. */
export interface ListenerOptions extends Omit<ListenOptions, 'name' | 'protocol'> {
  /** Default: the bound protocol of the endpoint's scheme, such as `pop3s`. Without one: ESMTP. */
  readonly protocol?: Protocol;
}

/** A listener's options with the name of its binding. */
export interface BoundListener {
  readonly name: string;
  readonly options: ListenerOptions;
}

/**
 * Returns the protocol of one listener: the bound options, with the differences of this listener.
 */
export type ProtocolFactory<O> = (differences?: Partial<O>) => Protocol;

/** A protocol with the scheme of its listeners. */
export interface BoundProtocol {
  /** The scheme without implicit TLS: `pop3`. */
  readonly scheme: string;
  readonly create: () => Protocol;
}

/**
 * The identifiers that the modules bind and look up. The symbols are those of the global registry,
 * so that they are equal in every copy of this package.
 */
export const identifiers = {
  // Cast and not annotated: an annotation would narrow the symbols to `symbol`.

  /**
   * nodeModule binds it: the parts of the server, which `start` passes to `serve` of
   * `@postern/node`.
   */
  ServeOptions: Symbol.for('@postern/ServeOptions') as ServiceIdentifier<ServeOptions>,

  /** credModule binds it. */
  Portal: Symbol.for('@postern/Portal') as ServiceIdentifier<Portal>,
  /** saslModule binds it: the bound challengers, then the default ones. */
  Challengers: Symbol.for('@postern/Challengers') as ServiceIdentifier<readonly Challenger[]>,
  /** esmtpModule binds it. */
  Esmtp: Symbol.for('@postern/Esmtp') as ServiceIdentifier<ProtocolFactory<EsmtpOptions>>,
  /** pop3Module binds it. */
  Pop3: Symbol.for('@postern/Pop3') as ServiceIdentifier<ProtocolFactory<Pop3Options>>,
  /** dovecotAuthModule binds it. */
  DovecotAuth: Symbol.for('@postern/DovecotAuth') as ServiceIdentifier<ProtocolFactory<DovecotAuthOptions>>,
  /** dovecotUserdbModule binds it. */
  DovecotUserdb: Symbol.for('@postern/DovecotUserdb') as ServiceIdentifier<ProtocolFactory<DovecotUserdbOptions>>,
  /** httpModule binds it. */
  Http: Symbol.for('@postern/Http') as ServiceIdentifier<ProtocolFactory<HttpProtocolOptions>>,
  /** saslauthdModule binds it. */
  Saslauthd: Symbol.for('@postern/Saslauthd') as ServiceIdentifier<ProtocolFactory<SaslauthdOptions>>,
  /** policyModule binds it. */
  Policy: Symbol.for('@postern/Policy') as ServiceIdentifier<ProtocolFactory<PolicyOptions>>,
  /** socketmapModule binds it. */
  Socketmap: Symbol.for('@postern/Socketmap') as ServiceIdentifier<ProtocolFactory<SocketmapOptions>>,
  /** imapModule binds it. */
  Imap: Symbol.for('@postern/Imap') as ServiceIdentifier<ProtocolFactory<ImapOptions>>,
  /** managesieveModule binds it. */
  ManageSieve: Symbol.for('@postern/ManageSieve') as ServiceIdentifier<ProtocolFactory<ManageSieveOptions>>,
  /** The modules of protocols bind it, for listeners without a protocol of their own. */
  Protocol: Symbol.for('@postern/Protocol') as ServiceIdentifier<BoundProtocol>,
  /** conversationModule binds it: one set of deadlines for all connections. */
  Deadlines: Symbol.for('@postern/Deadlines') as ServiceIdentifier<Deadlines>,
  /** conversationModule binds it: one queue for all connections. */
  TurnQueue: Symbol.for('@postern/TurnQueue') as ServiceIdentifier<TurnQueue>,
  /** conversationModule binds it: one budget for all connections of the process. */
  MemoryBudget: Symbol.for('@postern/MemoryBudget') as ServiceIdentifier<MemoryBudget>,

  /** The application binds it: this server's name. */
  Hostname: Symbol.for('@postern/Hostname') as ServiceIdentifier<string>,
  /** The application binds it for maildirModule: the folder of the Maildirs. */
  MaildirFolder: Symbol.for('@postern/MaildirFolder') as ServiceIdentifier<string>,
  /** The application binds it for httpModule: the function that answers the requests. */
  HttpHandler: Symbol.for('@postern/HttpHandler') as ServiceIdentifier<HttpHandler>,
  /** The application binds it for relayModule: the next server. */
  SmarthostOptions: Symbol.for('@postern/SmarthostOptions') as ServiceIdentifier<SmarthostOptions>,

  /**
   * The application may bind it: the clock of the portal, throttle, ESMTP, deadlines and limits.
   */
  Clock: Symbol.for('@postern/Clock') as ServiceIdentifier<Clock>,
  /** The application may bind it. */
  PortalOptions: Symbol.for('@postern/PortalOptions') as ServiceIdentifier<PortalOptions>,
  /** The application may bind it: then one throttle guards all checkers. */
  Throttle: Symbol.for('@postern/Throttle') as ServiceIdentifier<ThrottleOptions>,
  /** The application may bind it. */
  ChallengersOptions: Symbol.for('@postern/ChallengersOptions') as ServiceIdentifier<
    Omit<ChallengersOptions, 'hostname'>
  >,
  /** The application may bind it. */
  EsmtpOptions: Symbol.for('@postern/EsmtpOptions') as ServiceIdentifier<Partial<EsmtpOptions>>,
  /** The application may bind it. */
  Pop3Options: Symbol.for('@postern/Pop3Options') as ServiceIdentifier<Partial<Pop3Options>>,
  /** The application may bind it. */
  DovecotAuthOptions: Symbol.for('@postern/DovecotAuthOptions') as ServiceIdentifier<Partial<DovecotAuthOptions>>,
  /** The application may bind it. */
  DovecotUserdbOptions: Symbol.for('@postern/DovecotUserdbOptions') as ServiceIdentifier<Partial<DovecotUserdbOptions>>,
  /** The application may bind it. */
  HttpProtocolOptions: Symbol.for('@postern/HttpProtocolOptions') as ServiceIdentifier<HttpProtocolOptions>,
  /** The application may bind it. */
  SaslauthdOptions: Symbol.for('@postern/SaslauthdOptions') as ServiceIdentifier<Partial<SaslauthdOptions>>,
  /** The application may bind it. */
  PolicyOptions: Symbol.for('@postern/PolicyOptions') as ServiceIdentifier<Partial<PolicyOptions>>,
  /** The application may bind it. */
  SocketmapOptions: Symbol.for('@postern/SocketmapOptions') as ServiceIdentifier<Partial<SocketmapOptions>>,
  /** The application may bind it. */
  ImapOptions: Symbol.for('@postern/ImapOptions') as ServiceIdentifier<Partial<ImapOptions>>,
  /** The application may bind it. */
  ManageSieveOptions: Symbol.for('@postern/ManageSieveOptions') as ServiceIdentifier<Partial<ManageSieveOptions>>,
  /** The application may bind it. */
  MaildirOptions: Symbol.for('@postern/MaildirOptions') as ServiceIdentifier<MaildirOptions>,
  /** The application may bind it: the bounds of the MemoryBudget. */
  MemoryBudgetOptions: Symbol.for('@postern/MemoryBudgetOptions') as ServiceIdentifier<MemoryBudgetOptions>,
  /** The application may bind it: the certificates of all listeners without their own. */
  Certificates: Symbol.for('@postern/Certificates') as ServiceIdentifier<Certificates>,
  /**
   * The application may bind it: is called at the start for each mistake that stops no start.
   * Default: a warning of the process.
   */
  Warn: Symbol.for('@postern/Warn') as ServiceIdentifier<(warning: string) => void>,

  /** bindRealm binds it. */
  Realm: Symbol.for('@postern/Realm') as ServiceIdentifier<Realm>,
  /** bindAvatar binds it. */
  Avatar: Symbol.for('@postern/Avatar') as ServiceIdentifier<BoundAvatar>,
  /** bindChecker binds it. */
  Checker: Symbol.for('@postern/Checker') as ServiceIdentifier<BoundChecker>,
  /** bindChallenger binds it. */
  Challenger: Symbol.for('@postern/Challenger') as ServiceIdentifier<BoundChallenger>,
  /** bindListener binds it. */
  Listener: Symbol.for('@postern/Listener') as ServiceIdentifier<BoundListener>,
} as const;
