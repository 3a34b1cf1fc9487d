import type { Portal } from '@postern/cred';
import type { Certificates, Listener, Server } from '@postern/node';

/** The parts of a running submission server. */
export interface RunningParts {
  readonly portal: Portal;
  readonly server: Server;
  readonly certificates: Certificates | undefined;
}

/** A running submission server, as `submission()` returns it. `await using` closes it. */
export class SubmissionServer implements AsyncDisposable {
  readonly #parts: RunningParts;

  /** @internal */
  constructor(parts: RunningParts) {
    this.#parts = parts;
  }

  /** The portal that logs users in. */
  get portal(): Portal {
    return this.#parts.portal;
  }

  /** The listeners, in the order of the option `listen`. */
  get listeners(): readonly Listener[] {
    return this.#parts.server.listeners;
  }

  /** The address of the first listener as a URL, with its real port. */
  get url(): string {
    return this.#first.url;
  }

  /** The port of the first listener; 0 for a UNIX socket. */
  get port(): number {
    return this.#first.address.port;
  }

  /**
   * Reads the files of the certificate and its key again, for new connections. Does nothing without
   * `tls`.
   *
   * @throws Error for unusable files; the old certificate stays in use.
   */
  async reloadCertificates(): Promise<void> {
    await this.#parts.certificates?.reload();
  }

  /**
   * Closes the server in order. The listeners accept no client; transactions have
   * `shutdownTimeout` milliseconds. Then the portal logs out all users, and the user database and
   * the deliveries are disposed of. Every call returns the same promise.
   *
   * @throws AggregateError of all failures, after all parts are closed.
   */
  close(): Promise<void> {
    return this.#parts.server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #first(): Listener {
    return this.listeners[0] as Listener;
  }
}
