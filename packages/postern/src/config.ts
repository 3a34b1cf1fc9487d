import type { MemoryBudgetOptions } from '@postern/conversation';
import type { AnyChecker, AvatarFactory, MaybePromise } from '@postern/cred';
import type { Limits, MessageDelivery, OptionalExtension, RecipientLookup } from '@postern/esmtp';
import type { ConnectionLimits } from '@postern/node';
import type { ChallengersOptions, ChannelBindingPolicy } from '@postern/sasl';
import type { ThrottleOptions } from '@postern/throttle';
import type { DeliveryTarget } from './delivery-target.ts';
import type { LogForm } from './log.ts';

/** What `postern serve` is told, on the command line or in a file. What is left out has the default of the option of that name. */
export interface Config {
  /**
   * Listeners as URLs: `smtp://HOST:PORT`, `smtps://…`, `lmtp://…`, `lmtps://…`, `smtp+unix:PATH`, `lmtp+unix:PATH`, with `?service=mx`,
   * `?tls=required|none`, `?auth=required|optional|none` and what else `postern --help` tells.
   */
  readonly listen?: readonly string[];
  /** User databases, asked in this order: specs as `--auth` takes them, or checkers of your own. */
  readonly auth?: readonly (string | AnyChecker)[];
  /**
   * Where messages go: a spec as `--deliver` takes it, `relay({…})`, `maildir({…})`, a delivery of your own for everybody, or a function that makes
   * each user's.
   */
  readonly deliver?: string | DeliveryTarget | MessageDelivery | AvatarFactory<MessageDelivery>;
  /**
   * Where notifications to senders go (RFC 3461), as `deliver` takes it: of failures that a client cannot be told, and of success where
   * that is asked for. A function is asked for `mailer-daemon`'s delivery, once one is sent. Default: nowhere.
   */
  readonly notify?: string | DeliveryTarget | MessageDelivery | AvatarFactory<MessageDelivery>;
  /**
   * Who lives here: addresses (`ann@example.com`), names at each of the `domains` (`ann`), whole domains (`@example.com`), `file:FILE`
   * with one of them a line, `users` for those who can log in, or a function. Others are refused at RCPT: 550 5.1.1. A function returns
   * true, or the addresses that an alias leads to; an error that it throws is a temporary failure, 451. Default: everybody, except that
   * an MX or LMTP listener with Maildirs wants `recipients` or `domains`.
   */
  readonly recipients?: string | readonly string[] | RecipientLookup;
  /**
   * The domains that are ours, or `*` for every one. Without `recipients` each local part exists there. Other domains are refused: 550
   * 5.7.1, unless a user who has logged in sends on through the next server. Default: those of `recipients` and `aliases`.
   */
  readonly domains?: string | readonly string[];
  /** Aliases by name, address or `@domain`, each with its targets: an object, a Map, or a file with `name: target, target` a line. */
  readonly aliases?: string | TargetTable;
  /**
   * Which addresses and domains (`@example.com`) a user may send from: `users` (the user name, if it is an address, or else that name at
   * each of the `domains`), an object or a Map by user name, `file:FILE` with `name: address, @domain` a line, or a function. Others are
   * refused at MAIL: 553 5.7.1. Default: any.
   */
  readonly ownSenders?:
    | string
    | TargetTable
    | ((user: string) => MaybePromise<string | readonly string[] | null | undefined>);
  /**
   * The characters that separate a tag from a user, as in `ann+list@example.com`: for recipients, senders and Maildirs. The empty string
   * is for no tags. Default: `+`.
   */
  readonly recipientDelimiter?: string;
  /** This server's name, which it gives in its greeting and in `Received:` fields. */
  readonly hostname?: string;
  /** PEM files. */
  readonly tls?: TlsFiles;
  readonly log?: LogForm;
  /** The SASL mechanisms: which are wanted (`mechanisms`), and how they are done, such as the server key and iterations of SCRAM. */
  readonly sasl?: Omit<ChallengersOptions, 'hostname'>;
  /**
   * The file of SCRAM's server key, which the first start makes with mode 0600. The salts of users who do not
   * exist follow from the key: it has to outlive the process where a checker holds stored SCRAM secrets.
   */
  readonly scramKey?: string;
  /**
   * Addresses and networks whose clients may use mechanisms that expose the password without TLS, such
   * as a network of containers: `['172.16.0.0/12']`. Default: none; this machine always may.
   */
  readonly allowCleartext?: readonly string[];
  /**
   * What one client may use up: message size, recipients, errors, times; how many connections there may be, at each listener,
   * from each client and each minute; and how much memory connections may hold. What is left out has the default of esmtp, node
   * and conversation.
   */
  readonly limits?: Partial<Limits> & ConnectionLimits & MemoryBudgetOptions;
  /** SMTP extensions that are not offered, such as DSN where nobody sends notifications: those of esmtp's `omit`. Default: none. */
  readonly disabledExtensions?: readonly OptionalExtension[];
  /**
   * Takes more than the grammar, for printers, cameras and old systems: addresses without angle brackets, dots anywhere in a local part,
   * AUTH after HELO, base64 without padding. Line endings and BDAT stay strict. Default: false.
   */
  readonly lenient?: boolean;
  /** How much failing to log in is too much, for a user and for a network; false for no such limit. Default: cred's. */
  readonly throttle?: ThrottleOptions | false;
  /**
   * Logs the user name of a failed login (`username`), at most 500 characters of it. Users type passwords into the wrong field, so the
   * log may then hold passwords. Default: false.
   */
  readonly logUsernames?: boolean;
  /**
   * How many processes serve the ports together; `auto` is one for each core. What a process counts, such as failed logins, it counts for
   * itself. Default: 1.
   */
  readonly workers?: number | 'auto';
}

/** Names or addresses, each with the addresses that belong to it: a list, or a text with commas. */
export type TargetTable =
  | ReadonlyMap<string, string | readonly string[]>
  | Readonly<Record<string, string | readonly string[]>>;

/** Where a server's TLS comes from. */
export interface TlsFiles extends KeyFiles {
  /** More certificates, by the server name that a client asks for (SNI). A client that names none of them gets `cert`. */
  readonly named?: readonly NamedKeyFiles[];
  /** The authorities of clients' certificates. With it clients are asked for one; whose it is, a checker of `auth` says (EXTERNAL). */
  readonly clientCa?: string;
  /** A client with less fails in the handshake. Default: `TLSv1.2` (RFC 8314 §4). */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3';
  /** Cipher suites, as OpenSSL writes them. Default: Node's. */
  readonly ciphers?: string;
}

/** A certificate and its key, as the paths of PEM files. */
export interface KeyFiles {
  /** The certificate, with its chain. */
  readonly cert: string;
  /** Its key. */
  readonly key: string;
  /** Decrypts an encrypted key. */
  readonly passphrase?: string | undefined;
  /** A file with the passphrase on its first line; takes precedence over `passphrase`. */
  readonly passphraseFile?: string;
}

/** A certificate for some server names. */
export interface NamedKeyFiles extends KeyFiles {
  /** Server names, such as `mail.example.com` or `*.example.com`. Default: the host names in the certificate. */
  readonly names?: readonly string[];
}

/** The configuration itself: there for the types, as `export default defineConfig({…})` in `postern.config.ts`. */
export function defineConfig(config: Config): Config {
  return config;
}

/** The words of `sasl.channelBinding` and `--channel-binding`. */
export const CHANNEL_BINDING_POLICIES: readonly ChannelBindingPolicy[] = ['off', 'offered', 'required'];
