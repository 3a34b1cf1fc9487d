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
 * The use of TLS to the next server: from the first octet (`implicit`), by STARTTLS or not at all
 * (`required`), by STARTTLS if offered (`offered`), or never (`none`). With `offered` any
 * certificate is accepted, which is no protection against an attacker.
 */
export type SmarthostTls = 'implicit' | 'required' | 'offered' | 'none';

/** The next server: its endpoint, TLS, login, limits and timeouts. */
export interface SmarthostOptions
  extends Pick<ConnectOptions, 'endpoint' | 'ca' | 'serverName' | 'certificate' | 'minVersion' | 'maxVersion'>,
    Pick<SmtpClientOptions, 'responders' | 'allowCleartext' | 'logDialogue'> {
  /** True for LMTP (RFC 2033) instead of SMTP. Default: false. */
  readonly lmtp?: boolean;
  /** The use of TLS. Default: `required`, or `none` for a server on this machine. */
  readonly tls?: SmarthostTls;
  /** The name of this host. Default: that of the machine. */
  readonly hostname?: string;
  /**
   * The name for EHLO. Default: `hostname` if it is fully qualified, else the literal of the local
   * address (RFC 5321 §4.1.4).
   */
  readonly ehlo?: string;
  /**
   * The milliseconds after a refused login during which the relay attempts no other. Meanwhile a
   * message that needs a new connection gets a 451. Default: 300,000.
   */
  readonly loginFailureDelay?: number;
  /** The most connections at a time. Further messages wait. Default: 20. */
  readonly maxConnections?: number;
  /**
   * The most of `maxConnections`, `maxWaiting` and `maxSpoolOctets` that one user, one network (an
   * IPv4 address, an IPv6 /64) or one IPv6 site (/48) gets: a fraction above 0 and at most 1. Set 1
   * behind one trusted MX. Default: 0.25.
   */
  readonly maxClientShare?: number;
  /**
   * The most messages and recipients that wait for a connection. One more gets a 451. Default:
   * 1,000.
   */
  readonly maxWaiting?: number;
  /**
   * The directory of the temporary files of messages above 65,536 octets. Default: that of the
   * system.
   */
  readonly spoolDirectory?: string;
  /**
   * The most octets of all unfinished messages together. Above that a message gets a 452. Default:
   * 1 GiB.
   */
  readonly maxSpoolOctets?: number;
  /** The most messages on one connection. Default: no limit. */
  readonly maxMessagesPerConnection?: number;
  /** The milliseconds after which an unused connection is closed. Default: 30,000. */
  readonly idleTimeout?: number;
  /** The most milliseconds for connecting, and for waiting for a connection. Default: 30,000. */
  readonly connectTimeout?: number;
  /**
   * The most milliseconds until a reply of the next server. Default: 100,000, so that the client
   * gets its reply within two minutes (RFC 6409 §5.3).
   */
  readonly readTimeout?: number;
  /**
   * The most milliseconds from the client's end of data to the next server's reply. Half of it, or
   * `readTimeout` if that is longer, may pass before the next server has all octets. Default:
   * 600,000 (RFC 5321 §4.5.3.2.6): a shorter time may deliver a message twice.
   */
  readonly dataTimeout?: number;
  /**
   * Called with each error between the relay and the next server, for the log: the reply to the
   * client has no details. Default: the error becomes a process warning, once a minute for each
   * text.
   */
  readonly onError?: (error: unknown) => void;
  /** Opens a transport. Default: `connect` of `@postern/node`. */
  readonly connect?: (options: ConnectOptions) => Promise<Transport>;
  /** The clock. Default: that of the system. */
  readonly clock?: Clock;
}

/**
 * The server to which messages are relayed, with its connections. One smarthost serves all users:
 * deliveries lease its connections.
 */
export class Smarthost implements AsyncDisposable {
  readonly #options: SmarthostOptions;
  /** The spool of unfinished messages. */
  readonly spool: Spool;
  /** The timer of all waits for the next server. */
  readonly deadlines: Deadlines;
  /** The most milliseconds from the client's last octet to the last reply of the next server. */
  readonly dataTimeout: number;
  readonly #pool: Pool;
  readonly #warnings: Warnings;
  readonly #ending = new AbortController();
  readonly #logins: LoginGate;
  /** The last refused login that was reported. */
  #reportedRefusal: unknown;

  /** @throws RangeError for a number that is not valid. */
  constructor(options: SmarthostOptions) {
    const { maxConnections = 20, idleTimeout = 30_000, connectTimeout = 30_000, clock = systemClock } = options;
    const { maxMessagesPerConnection = Number.POSITIVE_INFINITY } = options;
    checkAtLeastOne('maxConnections', maxConnections);
    checkAtLeastOne('maxMessagesPerConnection', maxMessagesPerConnection);
    const { maxClientShare = 0.25, maxWaiting = 1_000, spoolDirectory = tmpdir(), maxSpoolOctets = 2 ** 30 } = options;
    const { readTimeout = 100_000, dataTimeout = 600_000 } = options;
    checkAtLeastOne('maxWaiting', maxWaiting);
    checkAtLeastOne('maxSpoolOctets', maxSpoolOctets);
    if (!(maxClientShare > 0 && maxClientShare <= 1)) {
      throw new RangeError(`maxClientShare: expected a number above 0 and at most 1, not ${maxClientShare}`);
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
      throw new RangeError(`loginFailureDelay: expected 0 or more milliseconds, not ${loginFailureDelay}`);
    this.#logins = new LoginGate(clock, loginFailureDelay);
    this.#warnings = new Warnings(clock);
    this.#pool = new Pool({
      open: () => this.#open(),
      shares: new ConnectionShares({
        maxConnections,
        maxClientShare,
        maxWaiting,
        timeout: connectTimeout,
        deadlines,
      }),
      maxConnections,
      maxMessagesPerConnection,
      idleTimeout,
      clock,
    });
  }

  /** The domain of the server, or its address as a literal; `localhost` for a UNIX socket. */
  get host(): string {
    const { endpoint } = this.#options;
    if ('path' in endpoint) return 'localhost';
    const literal = endpoint.host.includes(':') ? `[IPv6:${endpoint.host}]` : `[${endpoint.host}]`;
    return isAddressLiteral(literal) ? literal : endpoint.host;
  }

  /**
   * Leases a connection to the client with these keys; a new connection if `fresh`.
   *
   * @throws RelayError
   */
  acquire(fresh = false, keys: readonly string[] = []): Promise<Lease> {
    return this.#pool.acquire(fresh, keys);
  }

  /** Reports an error between the relay and the next server; a refused login once. Never throws. */
  report(error: unknown): void {
    if (error instanceof Unreachable && error.cause instanceof AuthenticationFailure) {
      if (error.cause === this.#reportedRefusal) return;
      this.#reportedRefusal = error.cause;
    }
    const { onError } = this.#options;
    if (onError === undefined) {
      this.#warnings.warn('the relay to the next server failed', error);
      return;
    }
    try {
      onError(error);
    } catch {
      // A failing log must not refuse mail.
    }
  }

  /**
   * Sends QUIT on all unused connections. A connection in use is closed when its message has ended.
   */
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

function checkAtLeastOne(option: string, value: number): void {
  if (!(value >= 1)) throw new RangeError(`${option}: expected 1 or more, not ${value}`);
}
