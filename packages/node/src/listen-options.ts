import type { Address, Clock, ConversationOptions, Protocol, TlsPolicy } from '@postern/conversation';
import type { Certificates } from './certificates.ts';
import type { ConnectionLimits, LimitExceeded } from './client-limits.ts';
import type { Endpoint } from './endpoint.ts';
import type { ListenerError } from './listener-error.ts';
import type { ProxyOptions } from './trusted-proxies.ts';

/** Where a listener listens, what is said there, and how much at a time. */
export interface ListenOptions {
  readonly endpoint: Endpoint;
  /** Leads each conversation. When it is done the connection is closed. */
  readonly protocol: Protocol;
  /** Default: `implicit` if the endpoint's scheme is the protocol's with an `s`; else `offered` with certificates, `none` without. */
  readonly tlsPolicy?: TlsPolicy;
  /** Needed for every policy but `none`. */
  readonly certificates?: Certificates;
  readonly limits?: ConnectionLimits;
  /** What a client hears that is turned away, with its line end; with `implicit` TLS it hears nothing. Default: nothing. */
  readonly refusal?: string | ((excess: LimitExceeded | 'memory', remote: Address) => string);
  /** Proxies that tell whose connections they hand on. Default: none. */
  readonly proxy?: ProxyOptions;
  /**
   * What conversations are made with; `closing` is the listener's own. One set of deadlines serves all of them, and one
   * `memory` budget, which several listeners of a process share if it is given. Default: a budget of half of the heap's limit.
   */
  readonly conversation?: Omit<ConversationOptions, 'closing'>;
  /**
   * Hears what went wrong, for a log. Default: what is this server's or its operator's doing becomes a warning of the process, the
   * same one once a minute.
   */
  readonly onError?: (trouble: ListenerError) => void;
  /** Where time comes from, for the limits per minute. Default: the clock of the machine. */
  readonly clock?: Clock;
  /** How many connections the system keeps until they are accepted. Default: 4096. */
  readonly backlog?: number;
  /** Lets several processes listen on one TCP port, and the system spread the connections. Default: false. */
  readonly reusePort?: boolean;
  /** The permissions of a UNIX socket's file. Default: what the process's umask leaves. */
  readonly mode?: number;
}
