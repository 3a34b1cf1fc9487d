import { constants, createHash, hkdfSync, randomBytes, type X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls';
import { chainWarnings, hostNames, readAuthorities } from './certificate-chain.ts';
import { type KeyPair, type LoadedPair, readPair } from './key-pair.ts';
import { type Pem, withLabel } from './pem.ts';
import type { SecuredSocket } from './socket-transport.ts';
import { TlsAcceptor } from './tls-acceptor.ts';

/** A certificate for some server names. */
export interface NamedKeyPair extends KeyPair {
  /**
   * Server names. `*.example.com` matches every name with one more label. Default: the host names
   * in the certificate.
   */
  readonly names?: readonly string[];
}

/** A server's certificates and the parameters of its TLS. */
export interface CertificateOptions extends KeyPair {
  /**
   * Certificates for clients that send one of their names (SNI, RFC 6066 §3). Other clients get the
   * first certificate.
   */
  readonly named?: readonly NamedKeyPair[];
  /**
   * The authorities of clients' certificates. The server asks for a certificate only with this
   * option. A checker judges it. Default: none.
   */
  readonly clientCa?: Pem | readonly Pem[];
  /** Default: `TLSv1.2` (RFC 8314 §4). */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Cipher suites in OpenSSL's notation. Default: Node's. */
  readonly ciphers?: string;
  /**
   * Protocol names (ALPN, RFC 7301). The server refuses a client that offers only other names.
   * Default: none.
   */
  readonly alpn?: readonly string[];
  /** Milliseconds for a whole handshake. Default: 10,000. */
  readonly handshakeTimeout?: number;
  /**
   * 48 secret octets. Processes with the same secret resume each other's sessions. Default: random.
   */
  readonly ticketSecret?: Uint8Array;
  /**
   * Is called at each load for each certificate that clients may refuse. Such a certificate has
   * expired, is not valid yet, lacks one of its `names`, or has a chain in the wrong order.
   * Default: `process.emitWarning`.
   */
  readonly onWarning?: (warning: string) => void;
}

/**
 * A server's certificates, which several listeners may share. `reload` replaces them without a
 * restart.
 *
 * @example
 * ```ts
 * import { Certificates, listen } from '@postern/node';
 *
 * const certificates = await Certificates.load({ cert: 'fullchain.pem', key: 'privkey.pem' });
 * process.on('SIGHUP', () => {
 *   certificates.reload().catch((error: unknown) => console.error(error));
 * });
 * await using listener = await listen({
 *   endpoint: { scheme: 'smtps', host: '*', port: 465 },
 *   tlsPolicy: 'implicit',
 *   certificates,
 *   protocol: async (conversation) => conversation.say('220 hello\r\n'),
 * });
 * ```
 */
export class Certificates {
  readonly #options: CertificateOptions;
  readonly #ticketSecret: Uint8Array;
  #acceptor: TlsAcceptor | undefined;
  /** The last reload. The next one waits for it, so that the last reload wins. */
  #reloaded: Promise<void> = Promise.resolve();

  private constructor(options: CertificateOptions) {
    this.#options = options;
    this.#ticketSecret = options.ticketSecret ?? randomBytes(48);
  }

  /**
   * Reads and checks all certificates and keys.
   *
   * @throws EncryptedKey if a key needs another passphrase; an Error that names the file with a
   * problem.
   */
  static async load(options: CertificateOptions): Promise<Certificates> {
    const certificates = new Certificates(options);
    await certificates.reload();
    return certificates;
  }

  /**
   * Reads the files again, for new handshakes. If it rejects, the certificates in use stay in use.
   *
   * @throws EncryptedKey if a key needs another passphrase; an Error that names the file with a
   * problem.
   */
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
    const options = {
      ...common,
      ...first.options,
      // With a callback, OpenSSL interrupts each handshake for it.
      ...(contexts.size === 0 ? {} : { SNICallback: chooser(contexts) }),
    };
    const [chain, ...otherChains] = [first, ...others].flatMap(({ chains }) => chains);
    const onlyCertificate = otherChains.length === 0 ? chain?.certificates[0] : undefined;
    const { handshakeTimeout = 10_000 } = this.#options;
    this.#acceptor = attempt(first.label, () => new TlsAcceptor(options, handshakeTimeout, onlyCertificate));
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

  /** Runs the server's half of a handshake on the socket. A failure destroys the socket. */
  readonly secure = async (socket: Socket): Promise<SecuredSocket> => {
    if (this.#acceptor === undefined) throw new TypeError('the certificates are not loaded');
    return this.#acceptor.secure(socket);
  };

  #common(ca: readonly Buffer[], pairs: readonly LoadedPair[]): TlsOptions {
    const { minVersion = 'TLSv1.2', ciphers, alpn } = this.#options;
    // A resumed session keeps the verdict on the client's certificate: other authorities need other
    // ticket keys.
    const digest = createHash('sha256');
    for (const pem of [...ca, ...pairs.flatMap(({ options }) => options.cert)]) digest.update(pem);
    return {
      minVersion,
      // The client's identity and the channel binding (RFC 5929 §3) are those of the first
      // handshake.
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

async function readNamedPair(options: NamedKeyPair): Promise<LoadedNamedPair> {
  const pair = await readPair(options);
  const names = options.names ?? pair.chains.flatMap(({ certificates: [own] }) => hostNames(own));
  if (names.length === 0) throw new Error(`${pair.label}: has no host name; expected one in it, or in names`);
  return { ...pair, names };
}

function isFor(certificate: X509Certificate, name: string): boolean {
  // A wildcard matches a certificate that is valid for any name below the domain.
  return certificate.checkHost(name.replace(/^\*/, 'any')) !== undefined;
}

/**
 * Finds the certificate of a name, or of the name with `*` as its first label (RFC 6125 §6.4.3).
 */
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
    throw withLabel(label, cause);
  }
}
