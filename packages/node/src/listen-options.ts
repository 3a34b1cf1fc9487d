import type { Address, Clock, ConversationOptions, Protocol, TlsPolicy } from '@postern/conversation';
import type { Certificates } from './certificates.ts';
import type { ConnectionLimits, LimitExceeded } from './client-limits.ts';
import type { Endpoint } from './endpoint.ts';
import type { InheritedSockets } from './inherited-sockets.ts';
import type { ListenerError } from './listener-error.ts';
import type { ProxyOptions } from './trusted-proxies.ts';

/** The address, the protocol, TLS and the limits of one listener. */
export interface ListenOptions {
  readonly endpoint: Endpoint;
  /** Runs on each connection. When its promise settles, the listener closes the connection. */
  readonly protocol: Protocol;
  /** A name for the program: `Listener.name` and `ListenError.listener` have it. Default: none. */
  readonly name?: string;
  /**
   * Default: `implicit` if the endpoint's scheme is the protocol's with an `s`; else `offered` with
   * certificates, and `none` without.
   */
  readonly tlsPolicy?: TlsPolicy;
  /** Required for every policy but `none`. */
  readonly certificates?: Certificates;
  readonly limits?: ConnectionLimits;
  /**
   * The reply to a client above a limit, with its line end. With `implicit` TLS the listener sends
   * nothing. Default: nothing.
   */
  readonly refusal?: string | ((limit: LimitExceeded, remote: Address) => string);
  /** The proxies that name the clients of their connections. Default: none. */
  readonly proxy?: ProxyOptions;
  /**
   * The options of each conversation; the listener sets `shutdownSignal`. All conversations share
   * one set of deadlines and one memory budget. Several listeners share the budget that each gets
   * here. Default: a budget of half the limit of the heap.
   */
  readonly conversation?: Omit<ConversationOptions, 'shutdownSignal'>;
  /**
   * Is called with each error, for a log. Default: an error that this server or its operator causes
   * is a warning of the process, the same one at most once a minute.
   */
  readonly onError?: (error: ListenerError) => void;
  /** The clock of the limits per minute. Default: the system's. */
  readonly clock?: Clock;
  /** The number of connections that the system keeps until they are accepted. Default: 4096. */
  readonly backlog?: number;
  /**
   * Lets several processes listen on one TCP port; the system spreads the connections. Default:
   * false.
   */
  readonly reusePort?: boolean;
  /**
   * The permissions of a UNIX socket's file, such as `0o660`. Default: those that the umask leaves.
   */
  readonly mode?: number;
  /**
   * The group of a UNIX socket's file: a number, or a name in `/etc/group` or of `getent`. Default:
   * the group of the process.
   */
  readonly group?: number | string;
  /**
   * Replaces the UNIX socket of a server that runs, in one step: each new client connects to this
   * listener, and the other server keeps its clients until it closes. A TCP port is shared with the
   * other server as by `reusePort`, which the other server needs as well. Default: false, so that
   * the path of another server is an error.
   */
  readonly takeOver?: boolean;
  /**
   * The sockets of a service manager. The listener uses the one with the address of its endpoint,
   * whose `mode`, `group` and file remain the service manager's. Default: none.
   */
  readonly inherited?: InheritedSockets;
}
