import { hostname as systemHostname, tmpdir } from 'node:os';
import { Deadlines, type Transport, Warnings } from '@postern/conversation';
import { type Clock, isLocal, systemClock } from '@postern/core';
import { isAddressLiteral } from '@postern/esmtp';
import { connectSmtp, ehloName, type SmtpClient, type SmtpClientOptions } from '@postern/esmtp/client';
import { type ConnectOptions, connect as connectSocket } from '@postern/node';
import { AuthenticationFailure } from '@postern/sasl/client';
import { ConnectionShares, shareOf } from './connection-shares.ts';
import { Unreachable } from './errors.ts';
import type { Lease } from './lease.ts';
import { LoginGate } from './login-gate.ts';
import { Pool } from './pool.ts';
import { Shares } from './shares.ts';
import { Spool } from './spool.ts';

/**
 * TLS to the next server: from the first byte; by STARTTLS, and not without; by STARTTLS if it is offered, with any certificate,
 * which does not help against an attacker; not at all.
 */
export type SmarthostTls = 'implicit' | 'required' | 'offered' | 'none';

/** Where the next server is, how to come in there, and how long to wait for it. */
export interface SmarthostOptions
  extends Pick<ConnectOptions, 'endpoint' | 'ca' | 'serverName' | 'certificate' | 'minVersion' | 'maxVersion'>,
    Pick<SmtpClientOptions, 'responders' | 'allowCleartext' | 'logDialogue'> {
  /** Speaks LMTP (RFC 2033) instead of SMTP. Default: false. */
  readonly lmtp?: boolean;
  /** Default: `required`, and `none` where the server is on this machine. */
  readonly tls?: SmarthostTls;
  /** This host's name. Default: that of the machine. */
  readonly hostname?: string;
  /**
   * The name to say with EHLO. Default: `hostname` if it is fully qualified, else the literal of this
   * end's address (RFC 5321 §4.1.4).
   */
  readonly ehlo?: string;
  /**
   * How long after a refused login the relay does not try another one, in milliseconds; meanwhile
   * messages that need a new connection get a 451. Default: 300,000.
   */
  readonly loginFailureDelay?: number;
  /** How many connections there may be at the same time; more messages wait. Default: 20. */
  readonly maxConnections?: number;
  /**
   * The greatest share of `connections`, `maxWaiting` and `maxSpoolOctets` that one user, one network
   * (an IPv4 address, an IPv6 /64) or one IPv6 site (/48) has: above 0 and at most 1. Default: 0.25. Set 1 for a server behind one trusted MX.
   */
  readonly maxClientShare?: number;
  /** The number of messages and recipients that may wait for a connection; one more is a 451. Default: 1,000. */
  readonly maxWaiting?: number;
  /** The directory of the temporary files of messages above 65,536 octets. Default: that of the system. */
  readonly spoolDirectory?: string;
  /** The number of octets that messages before their end may have together; more is a 452. Default: 1 GiB. */
  readonly maxSpoolOctets?: number;
  /** How many messages go by one connection before a new one takes its place. Default: no limit. */
  readonly maxMessagesPerConnection?: number;
  /** How long an unused connection is kept for the next message, in milliseconds. Default: 30,000. */
  readonly idleTimeout?: number;
  /** How long connecting, or a place among the connections, may take, in milliseconds. Default: 30,000. */
  readonly connectTimeout?: number;
  /**
   * How long the server may take for a reply, in milliseconds. Default: 100,000, so that a client of ours hears of it within two
   * minutes (RFC 6409 §5.3).
   */
  readonly readTimeout?: number;
  /**
   * How long a message may take from our client's end of data to the server's answer, in milliseconds;
   * half of it, or `patience` if that is longer, may pass before the server has all octets. Default:
   * 600,000 (RFC 5321 §4.5.3.2.6): to give up sooner may deliver twice.
   */
  readonly dataTimeout?: number;
  /**
   * Hears what went wrong between us and the server, for the log: the client hears only that it may try again. Default: it becomes a
   * warning of the process, the same one once a minute.
   */
  readonly onError?: (error: unknown) => void;
  /** By default @postern/node's. */
  readonly connect?: (options: ConnectOptions) => Promise<Transport>;
  /** By default the machine's. */
  readonly clock?: Clock;
}

/** The server that messages are relayed to, and the connections to it. One for all users; deliveries borrow connections. */
export class Smarthost implements AsyncDisposable {
  readonly #options: SmarthostOptions;
  /** The room for messages before their end. */
  readonly spool: Spool;
  /** The deadlines of all that wait for the server. */
  readonly deadlines: Deadlines;
  /** How long a message may take from its client's last octet to the last answer, in milliseconds. */
  readonly dataTimeout: number;
  readonly #pool: Pool;
  readonly #warnings: Warnings;
  readonly #ending = new AbortController();
  readonly #logins: LoginGate;
  /** The refused login that the log knows of. */
  #toldRefusal: unknown;

  constructor(options: SmarthostOptions) {
    const { maxConnections = 20, idleTimeout = 30_000, connectTimeout = 30_000, clock = systemClock } = options;
    const { maxMessagesPerConnection = Number.POSITIVE_INFINITY } = options;
    atLeastOne('connections', maxConnections);
    atLeastOne('maxMessagesPerConnection', maxMessagesPerConnection);
    const { maxClientShare = 0.25, maxWaiting = 1_000, spoolDirectory = tmpdir(), maxSpoolOctets = 2 ** 30 } = options;
    const { readTimeout = 100_000, dataTimeout = 600_000 } = options;
    atLeastOne('maxWaiting', maxWaiting);
    atLeastOne('maxSpoolOctets', maxSpoolOctets);
    if (!(maxClientShare > 0 && maxClientShare <= 1)) {
      throw new RangeError(`maxClientShare: above 0 and at most 1 is wanted, not ${maxClientShare}`);
    }
    this.dataTimeout = Math.max(dataTimeout, 2 * readTimeout);
    this.spool = new Spool({
      directory: spoolDirectory,
      shares: new Shares(maxSpoolOctets, shareOf(maxSpoolOctets, maxClientShare)),
    });
    this.#options = options;
    const deadlines = new Deadlines(clock);
    this.deadlines = deadlines;
    const { loginFailureDelay = 300_000 } = options;
    if (!(loginFailureDelay >= 0))
      throw new RangeError(`loginFailureDelay: 0 or more is wanted, not ${loginFailureDelay}`);
    this.#logins = new LoginGate(clock, loginFailureDelay);
    this.#warnings = new Warnings(clock);
    this.#pool = new Pool({
      open: () => this.#open(),
      places: new ConnectionShares({
        places: maxConnections,
        maxClientShare,
        maxWaiting,
        timeout: connectTimeout,
        deadlines,
      }),
      maxConnections: maxConnections,
      maxMessagesPerConnection,
      idleTimeout: idleTimeout,
      clock,
    });
  }

  /** The server's domain, or its address as a literal; that of a UNIX socket is on this machine. */
  get host(): string {
    const { endpoint } = this.#options;
    if ('path' in endpoint) return 'localhost';
    const literal = endpoint.host.includes(':') ? `[IPv6:${endpoint.host}]` : `[${endpoint.host}]`;
    return isAddressLiteral(literal) ? literal : endpoint.host;
  }

  /** Lends the client with these keys a connection, a new one if `fresh`. Rejects with a RelayError. */
  acquire(fresh = false, keys: readonly string[] = []): Promise<Lease> {
    return this.#pool.acquire(fresh, keys);
  }

  /** Tells of trouble between us and the server, once of each refused login. Does not fail. */
  tell(error: unknown): void {
    if (error instanceof Unreachable && error.cause instanceof AuthenticationFailure) {
      if (error.cause === this.#toldRefusal) return;
      this.#toldRefusal = error.cause;
    }
    const { onError } = this.#options;
    if (onError === undefined) {
      this.#warnings.warn('the next server did not take a message', error);
      return;
    }
    try {
      onError(error);
    } catch {
      // A log that does not work is no reason to refuse mail.
    }
  }

  /** Takes leave of the server on every connection that is not in use, and on the others when their messages have ended. */
  async close(): Promise<void> {
    this.#ending.abort(new Unreachable('the relay is closing'));
    await this.#pool.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(): Promise<SmtpClient> {
    try {
      this.#ending.signal.throwIfAborted();
      this.#logins.check();
      const transport = await this.#connect();
      return await connectSmtp(transport, this.#clientOptions(transport));
    } catch (cause) {
      if (!(cause instanceof AuthenticationFailure)) {
        throw new Unreachable('the next server cannot be reached', { cause });
      }
      const seconds = Math.ceil((this.#options.loginFailureDelay ?? 300_000) / 1_000);
      throw new Unreachable(`the next server refuses the login, which is tried again after ${seconds} s`, { cause });
    }
  }

  #connect(): Promise<Transport> {
    const { tls, connectTimeout = 30_000, connect = connectSocket, ...options } = this.#options;
    const { endpoint, ca, serverName, certificate, minVersion, maxVersion } = options;
    return connect({
      endpoint,
      tlsPolicy: tls ?? 'offered',
      unverified: tls === 'offered',
      timeout: connectTimeout,
      signal: this.#ending.signal,
      ...(ca !== undefined && { ca }),
      ...(serverName !== undefined && { serverName }),
      ...(certificate !== undefined && { certificate }),
      ...(minVersion !== undefined && { minVersion }),
      ...(maxVersion !== undefined && { maxVersion }),
    });
  }

  #clientOptions({ remote, local }: Transport): SmtpClientOptions {
    const { tls = isLocal(remote) ? 'none' : 'required', responders, logDialogue, ...options } = this.#options;
    const { allowCleartext = false, lmtp = false, readTimeout = 100_000, dataTimeout = 600_000 } = options;
    return {
      hostname: options.ehlo ?? ehloName(options.hostname ?? systemHostname(), local),
      startTls: tls === 'implicit' ? 'none' : tls,
      allowCleartext,
      lmtp,
      readTimeout,
      dataTimeout,
      deadlines: this.deadlines,
      ...(responders !== undefined && { responders: responders.map((responder) => this.#logins.guard(responder)) }),
      ...(logDialogue !== undefined && { logDialogue }),
    };
  }
}

function atLeastOne(option: string, value: number): void {
  if (!(value >= 1)) throw new RangeError(`${option}: 1 or more is wanted, not ${value}`);
}
