import type { Ended } from '../program.ts';

export const POP3_CHANNELS = ['clear text', 'STLS', 'implicit TLS'] as const;

/** How a POP3 client protects its connection. */
export type Pop3Channel = (typeof POP3_CHANNELS)[number];

/** A POP3 client of another project, which retrieves mail without a person. */
export interface Pop3Client extends Partial<AsyncDisposable> {
  readonly name: string;
  /** The program that must be there, and the Debian packages that install it. */
  readonly program: string;
  readonly debianPackages: string;
  /** The logins that the client knows, by channel: `USER`, `APOP` and SASL mechanisms. */
  readonly logins: Readonly<Record<Pop3Channel, readonly string[]>>;
  /** The line ends that the client stores. With `\n`, the client may remove the CR of each CRLF. */
  readonly lineEnds: '\r\n' | '\n';
  /** Whether the client skips messages that it has kept on the server, by their unique-ids. */
  readonly skipsKnown: boolean;
  /** The client's report of a refused login. */
  readonly refusal: RegExp;
  /** Resolves to the client's own words about its version. */
  version(): Promise<string>;
  /** Retrieves the messages of an account. Resolves when the client has ended. */
  retrieve(account: Pop3Account, options?: RetrieveOptions): Promise<Retrieval>;
}

export interface Pop3Account {
  readonly port: number;
  readonly channel: Pop3Channel;
  readonly login: string;
  readonly user: string;
  readonly password: string;
  /** The file with the certificate of the authority that the client trusts. */
  readonly ca: string;
  /** The client's folder: its configuration, its list of known messages, its output. */
  readonly folder: string;
}

export interface RetrieveOptions {
  /** Whether the client deletes each message that it has retrieved. Default: false. */
  readonly remove?: boolean;
}

/** The result of a client's run. */
export interface Retrieval extends Ended {
  /** The retrieved messages, in any order. */
  readonly messages: readonly Buffer[];
}
