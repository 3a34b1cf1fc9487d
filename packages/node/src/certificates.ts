import { constants, createHash, hkdfSync, randomBytes, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import { chainWarnings, hostNames, readAuthorities } from './certificate-chain.ts';
import { type KeyPair, type LoadedPair, readPair } from './key-pair.ts';
import { explained, type Pem } from './pem.ts';
import type { SecuredSocket } from './socket-transport.ts';
import { TlsAcceptor } from './tls-acceptor.ts';

/** A certificate for clients that ask for certain names. */
export interface NamedKeyPair extends KeyPair {
  /** Server names; `*.example.com` stands for every name with one label more. Default: the host names of the certificate. */
  readonly names?: readonly string[];
}

/** A server's certificates, and what it wants of TLS. */
export interface CertificateOptions extends KeyPair {
  /** More certificates, chosen by the name that the client asks for (SNI). Without a match, or a name, it is the first one. */
  readonly named?: readonly NamedKeyPair[];
  /** The authorities of clients' certificates. Clients are asked for a certificate only if this is given; a checker judges it. */
  readonly clientCa?: Pem | readonly Pem[];
  /** Default: `TLSv1.2` (RFC 8314 §4). */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Cipher suites, as OpenSSL writes them. Default: Node's. */
  readonly ciphers?: string;
  /** Protocol names to agree on (ALPN, RFC 7301). A client that offers only others is refused. Default: none. */
  readonly alpn?: readonly string[];
  /** How long a handshake may take, in milliseconds. Default: 10,000. */
  readonly handshakeTimeout?: number;
  /** 48 secret bytes, the same for all processes that are to resume each other's sessions. Default: random ones. */
  readonly ticketSecret?: Uint8Array;
  /**
   * Is called, at each load, for each certificate that clients may refuse: it has expired, it is not valid yet, it is not for a name of
   * `named`, or its chain is not in order. Default: `process.emitWarning`.
   */
  readonly onWarning?: (warning: string) => void;
}

/** A server's certificates and what else its TLS needs; shared by listeners, and loaded anew without a stop. */
export class Certificates {
  readonly #options: CertificateOptions;
  readonly #ticketSecret: Uint8Array;
  #acceptor: TlsAcceptor | undefined;
  /** The last reload, which the next one waits for: else an earlier one could have the last word. */
  #reloaded: Promise<void> = Promise.resolve();

  private constructor(options: CertificateOptions) {
    this.#options = options;
    this.#ticketSecret = options.ticketSecret ?? randomBytes(48);
  }

  /** Reads and checks all of them; fails with an error that names what is wrong. */
  static async load(options: CertificateOptions): Promise<Certificates> {
    const certificates = new Certificates(options);
    await certificates.reload();
    return certificates;
  }

  /** Reads the files again, for new handshakes. If something is wrong with them it fails, and those in use stay in use. */
  reload(): Promise<void> {
    const reloaded = this.#reloaded.then(() => this.#reload());
    this.#reloaded = reloaded.catch(() => {});
    return reloaded;
  }

  async #reload(): Promise<void> {
    const { clientCa, named = [] } = this.#options;
    const ca = clientCa === undefined ? [] : await readAuthorities('client CA', clientCa);
    const first = await readPair(this.#options);
    const contexts = new Map<string, SecureContext>();
    const others = await Promise.all(named.map(readNamedPair));
    const common = this.#common(ca, [first, ...others]);
    for (const { names, ...pair } of others) {
      const context = attempt(pair.label, () => createSecureContext({ ...common, ...pair.options }));
      for (const name of names) contexts.set(name.toLowerCase(), context);
    }
    const options = { ...common, ...first.options, SNICallback: chooser(contexts) };
    this.#acceptor = attempt(first.label, () => new TlsAcceptor(options, this.#options.handshakeTimeout ?? 10_000));
    this.#warn(first, others);
  }

  #warn(first: LoadedPair, others: readonly LoadedNamedPair[]): void {
    const { onWarning = (warning: string) => process.emitWarning(warning, 'PosternWarning') } = this.#options;
    for (const { label, certificates } of [first, ...others].flatMap(({ chains }) => chains)) {
      for (const warning of chainWarnings(label, certificates)) onWarning(warning);
    }
    for (const { names, chains } of others) {
      for (const { label, certificates } of chains) {
        const [own] = certificates;
        for (const name of names.filter((name) => !isFor(own, name)))
          onWarning(`${label}: is not for the name ${name}`);
      }
    }
  }

  /** Leads the server's half of a handshake on the socket. If it fails the socket is destroyed. */
  readonly secure = async (socket: Socket): Promise<SecuredSocket> => {
    if (this.#acceptor === undefined) throw new TypeError('certificates are loaded first');
    return this.#acceptor.secure(socket);
  };

  #common(ca: readonly Buffer[], pairs: readonly LoadedPair[]): TlsOptions {
    const { minVersion = 'TLSv1.2', ciphers, alpn } = this.#options;
    // A session brings the verdict on the client's certificate along, so a session of other times is one of other keys.
    const digest = createHash('sha256');
    for (const pem of [...ca, ...pairs.flatMap(({ options }) => options.cert)]) digest.update(pem);
    return {
      minVersion,
      // What was learned in the handshake holds for the whole connection: who the client is, and what SASL is bound to (RFC 5929 §3).
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
      sessionIdContext: 'postern',
      ticketKeys: Buffer.from(hkdfSync('sha256', this.#ticketSecret, '', digest.digest(), 48)),
      ...(ciphers === undefined ? {} : { ciphers }),
      ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
      ...(ca.length === 0 ? {} : { ca: [...ca], requestCert: true, rejectUnauthorized: false }),
    };
  }
}

interface LoadedNamedPair extends LoadedPair {
  readonly names: readonly string[];
}

async function readNamedPair(given: NamedKeyPair): Promise<LoadedNamedPair> {
  const pair = await readPair(given);
  const names = given.names ?? pair.chains.flatMap(({ certificates: [own] }) => hostNames(own));
  if (names.length === 0) throw new Error(`${pair.label}: has no host name; expected one in it, or in names`);
  return { ...pair, names };
}

function isFor(certificate: X509Certificate, name: string): boolean {
  // A certificate has to be for one name as well as for all.
  return certificate.checkHost(name.replace(/^\*/, 'any')) !== undefined;
}

/** Finds the certificate for a name: its own, or one with a star for its first label (RFC 6125 §6.4.3). */
function chooser(contexts: ReadonlyMap<string, SecureContext>): NonNullable<TlsOptions['SNICallback']> {
  return (serverName, choose) => {
    const name = serverName.toLowerCase();
    choose(null, contexts.get(name) ?? contexts.get(name.replace(/^[^.]*/, '*')));
  };
}

function attempt<T>(label: string, make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw explained(label, cause);
  }
}
