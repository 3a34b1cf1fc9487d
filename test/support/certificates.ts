import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  type X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its private key in PEM form, as Node's TLS takes them. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A self-signed certificate authority that issues certificates. */
export class TestAuthority {
  /** The authority's certificate in PEM form, for programs that trust the authority. */
  readonly cert: string;
  readonly #certificate: X509Certificate;
  readonly #keys: webcrypto.CryptoKeyPair;

  private constructor(certificate: X509Certificate, keys: webcrypto.CryptoKeyPair) {
    this.cert = certificate.toString('pem');
    this.#certificate = certificate;
    this.#keys = keys;
  }

  static async create(name = 'Test Authority'): Promise<TestAuthority> {
    const keys = await generateKeys(ECDSA);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: `CN=${name}`,
      keys,
      signingAlgorithm: ECDSA,
      ...validity(),
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    });
    return new TestAuthority(certificate, keys);
  }

  /**
   * Issues a certificate for a server with these names and addresses. Default: localhost and
   * loopback.
   */
  server(
    names: readonly string[] = ['localhost', '127.0.0.1', '::1'],
    options: IssueOptions = {},
  ): Promise<TestCertificate> {
    return this.#issue(`CN=${names[0]}`, names.map(serverName), ExtendedKeyUsage.serverAuth, options);
  }

  /** Issues a certificate for a client. The subject has the form `CN=joe, O=Example`. */
  client(subject = 'CN=joe', email?: string, options: IssueOptions = {}): Promise<TestCertificate> {
    const names = email === undefined ? [] : [{ type: 'email', value: email } as const];
    return this.#issue(subject, names, ExtendedKeyUsage.clientAuth, options);
  }

  async #issue(
    subject: string,
    names: JsonGeneralName[],
    usage: ExtendedKeyUsage,
    { algorithm = ECDSA, ...dates }: IssueOptions,
  ): Promise<TestCertificate> {
    const keys = await generateKeys(algorithm);
    const certificate = await X509CertificateGenerator.create({
      subject,
      issuer: this.#certificate.subject,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ECDSA,
      ...validity(),
      ...dates,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new ExtendedKeyUsageExtension([usage]),
        ...(names.length === 0 ? [] : [new SubjectAlternativeNameExtension(names)]),
      ],
    });
    return { cert: certificate.toString('pem'), key: await privateKeyPem(keys) };
  }
}

export interface IssueOptions {
  /** The algorithm of the subject's own key. Default: ECDSA on P-256. */
  readonly algorithm?: KeyAlgorithm;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

export interface KeyAlgorithm {
  readonly name: string;
  readonly hash?: string;
  readonly namedCurve?: string;
  readonly modulusLength?: number;
  readonly publicExponent?: Uint8Array;
  readonly saltLength?: number;
}

/** Makes a self-signed certificate with a key of the algorithm. No authority vouches for it. */
export async function selfSigned(algorithm: KeyAlgorithm = ECDSA, name = 'CN=localhost'): Promise<TestCertificate> {
  const keys = await generateKeys(algorithm);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: algorithm,
    ...validity(),
    extensions: [new SubjectAlternativeNameExtension([serverName('localhost'), serverName('127.0.0.1')])],
  });
  return { cert: certificate.toString('pem'), key: await privateKeyPem(keys) };
}

/** Returns the certificates that most tests need. A process makes them once. */
export function testCertificates(): Promise<TestCertificates> {
  made ??= makeCertificates();
  return made;
}

export interface TestCertificates {
  readonly authority: TestAuthority;
  /** The authority's certificate in PEM form. */
  readonly ca: string;
  /** The certificate of localhost, 127.0.0.1 and ::1. */
  readonly server: TestCertificate;
  /** The client certificate of `CN=joe` with the address `joe@example.com`. */
  readonly client: TestCertificate;
}

/** The paths of the {@link testCertificates}, for programs that read files. */
export interface CertificateFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  readonly clientCert: string;
  readonly clientKey: string;
}

/** Writes the {@link testCertificates} into a folder and returns the paths. */
export async function certificateFiles(folder: string): Promise<CertificateFiles> {
  const { ca, server, client } = await testCertificates();
  const write = async (name: string, pem: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, pem, { mode: 0o600 });
    return path;
  };
  return {
    ca: await write('ca.pem', ca),
    cert: await write('cert.pem', server.cert),
    key: await write('key.pem', server.key),
    clientCert: await write('client-cert.pem', client.cert),
    clientKey: await write('client-key.pem', client.key),
  };
}

let made: Promise<TestCertificates> | undefined;

async function makeCertificates(): Promise<TestCertificates> {
  const authority = await TestAuthority.create();
  const [server, client] = await Promise.all([authority.server(), authority.client('CN=joe', 'joe@example.com')]);
  return { authority, ca: authority.cert, server, client };
}

async function generateKeys(algorithm: KeyAlgorithm): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function privateKeyPem({ privateKey }: webcrypto.CryptoKeyPair): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

function serverName(name: string): JsonGeneralName {
  return { type: /^[\d.]+$|:/.test(name) ? 'ip' : 'dns', value: name };
}

/**
 * Returns a period from yesterday, since the clocks of two programs may differ, to 30 days from
 * now.
 */
function validity(): { notBefore: Date; notAfter: Date } {
  const day = 24 * 60 * 60 * 1000;
  return { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 30 * day) };
}

const ECDSA: KeyAlgorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
