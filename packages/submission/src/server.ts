import type { Portal } from '@postern/cred';
import type { Certificates, Listener, Server } from '@postern/node';

/** The parts of a submission server that runs. */
export interface RunningParts {
  readonly portal: Portal;
  readonly server: Server;
  readonly certificates: Certificates | undefined;
}

/** A submission server that listens: `submission()` returns it. `await using` closes it. */
export class SubmissionServer implements AsyncDisposable {
  readonly #parts: RunningParts;

  /** @internal */
  constructor(parts: RunningParts) {
    this.#parts = parts;
  }

  /** The portal through which the users log in. */
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
   * Reads the files of certificate and key again, for new connections. Rejects if they cannot be used: then those in use stay in use.
   * Without `tls` it does nothing.
   */
  async reloadCertificates(): Promise<void> {
    await this.#parts.certificates?.reload();
  }

  /**
   * Closes the server in order: the listeners accept no client, transactions have `shutdownTimeout` milliseconds to end, all users are
   * logged out, users and deliveries are disposed of. Every call returns the same promise.
   *
   * @throws AggregateError of all failures, after everything else is closed.
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
