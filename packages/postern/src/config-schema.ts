import type { MemoryBudgetOptions } from '@postern/conversation';
import type { AnyChecker, AvatarFactory, MaybePromise } from '@postern/cred';
import { defaultLimits, MessageDelivery, optionalExtensions, type RecipientLookup } from '@postern/esmtp';
import type { ImapBackEnd } from '@postern/imap';
import type { SieveBackEnd } from '@postern/managesieve';
import type { Mailbox } from '@postern/pop3';
import { type ChallengersOptions, SCRAM_HASHES, type ScramHash } from '@postern/sasl';
import type { ThrottleOptions } from '@postern/throttle';
import type { UserStore } from '@postern/users';
import * as v from 'valibot';
import { DeliveryTarget } from './delivery-target.ts';
import { UsageError } from './errors.ts';
import { CONNECTION_LIMITS, type LimitOptions, type LoginLimits } from './limits.ts';
import { ACCESS_SERVICES } from './listener-url.ts';
import { LOG_FORMS } from './log.ts';
import { MailboxSource } from './mailbox-source.ts';
import { CHANNEL_BINDING_POLICIES } from './option-values.ts';
import {
  anyOf,
  describeIssues,
  isObject,
  listOf,
  objectOf,
  option,
  predicate,
  strict,
  stringFor,
  wordOf,
} from './schema-parts.ts';
import { isUserStore } from './user-store-spec.ts';
import type { UsersOptions } from './users-options.ts';

/**
 * Checks what a config file exports by default: a JavaScript file has no types that the compiler
 * checks.
 *
 * @throws UsageError that names the file and the wrong property, and no value.
 */
export function checkConfig(value: unknown, file: string): Config {
  if (!isObject(value)) throw new UsageError(`${file}: expected \`export default defineConfig({…})\``);
  const result = v.safeParse(ConfigSchema, value);
  if (result.success) return result.output;
  throw new UsageError(`${file}: ${describeIssues(result.issues)}`);
}

/**
 * The configuration of `postern serve`, on the command line or in a file. An option that is left
 * out has the default of the command-line option of that name.
 */
export interface Config extends v.InferOutput<typeof ConfigSchema> {}

/** A certificate and its key, as the paths of PEM files. */
export interface KeyFiles extends v.InferOutput<typeof KeyFilesSchema> {}

/** The certificates and policies of TLS. */
export interface TlsFiles extends v.InferOutput<typeof TlsFilesSchema> {}

const flag = v.boolean('expected true or false');
const text = stringFor('a string');
const number = v.number('expected a number');
const pemFile = stringFor('the path of a PEM file');
const strings = listOf(text, 'a list of strings');

const keyFileEntries = {
  /** The PEM file of the certificate with its chain. */
  cert: pemFile,
  /** The PEM file of the key. */
  key: pemFile,
  /** The passphrase of an encrypted key. */
  passphrase: option(stringFor('the passphrase as a string')),
  /** A file with the passphrase on its first line. It takes precedence over `passphrase`. */
  passphraseFile: option(stringFor('the path of a file with the passphrase')),
};

/** A certificate and its key, as the paths of PEM files. */
const KeyFilesSchema = strict(keyFileEntries);

/** A certificate and its key for some server names. */
const NamedKeyFilesSchema = strict({
  ...keyFileEntries,
  /**
   * Server names, such as `mail.example.com` or `*.example.com`. Default: the host names in the
   * certificate.
   */
  names: option(listOf(text, "a list of server names, such as ['*.example.com']")),
});

/** The certificates and policies of TLS. */
const TlsFilesSchema = strict({
  ...keyFileEntries,
  /**
   * More certificates, by the server name of the client (SNI). A client with another name gets
   * `cert`.
   */
  named: option(listOf(NamedKeyFilesSchema, 'a list of certificates, [{ cert: FILE, key: FILE, names }]')),
  /**
   * The authorities of client certificates. With this option the server asks clients for a
   * certificate; a checker in `auth` decides which user a certificate belongs to (EXTERNAL).
   */
  clientCa: option(pemFile),
  /**
   * The lowest TLS version. A client with a lower version fails in the handshake. Default:
   * `TLSv1.2` (RFC 8314 §4).
   */
  minVersion: option(wordOf(['TLSv1.2', 'TLSv1.3'])),
  /** Cipher suites in the form of OpenSSL. Default: Node's. */
  ciphers: option(stringFor('cipher suites in the form of OpenSSL')),
});

/**
 * Names or addresses, each with the addresses that belong to it: a list, or a string with commas.
 */
export type TargetTable =
  | ReadonlyMap<string, string | readonly string[]>
  | Readonly<Record<string, string | readonly string[]>>;

/** Returns the addresses and domains (`@example.com`) that a user may send from. */
export type OwnSendersLookup = (user: string) => MaybePromise<string | readonly string[] | null | undefined>;

const lookup = <F extends (...args: never[]) => unknown>() => predicate<F>(isFunction, 'a function');
const table = predicate<TargetTable>(isTable, 'a table of names and addresses');
const target = predicate<string | DeliveryTarget | MessageDelivery | AvatarFactory<MessageDelivery>>(
  (value) =>
    typeof value === 'string' ||
    isFunction(value) ||
    value instanceof MessageDelivery ||
    value instanceof DeliveryTarget,
  'a spec, relay({…}), maildir({…}), a function, or an object of a class that extends MessageDelivery',
);

const mailboxes = predicate<string | DeliveryTarget | MailboxSource | AvatarFactory<Mailbox>>(
  (value) =>
    typeof value === 'string' || isFunction(value) || value instanceof DeliveryTarget || value instanceof MailboxSource,
  'a spec, maildir({…}), or a function that returns a Mailbox of @postern/pop3',
);

const backEndFunction = <B>() => v.union([text, lookup<AvatarFactory<B>>()], 'expected a URL or a function');
const backEnds = strict({
  imap: option(backEndFunction<ImapBackEnd>()),
  sieve: option(backEndFunction<SieveBackEnd>()),
});

const sasl = objectOf<Omit<ChallengersOptions, 'hostname'>>({
  mechanisms: strings,
  channelBinding: wordOf(CHANNEL_BINDING_POLICIES),
  login: objectOf<NonNullable<ChallengersOptions['login']>>({ usernamePrompt: text, passwordPrompt: text }),
  digestMd5: objectOf<NonNullable<ChallengersOptions['digestMd5']>>({
    realm: text,
    service: text,
    hosts: strings,
    nonce: lookup<() => string>(),
  }),
  oauth: objectOf<NonNullable<ChallengersOptions['oauth']>>({
    scope: text,
    openidConfiguration: text,
    hosts: strings,
    ports: listOf(number, 'a list of numbers'),
  }),
  scram: objectOf<NonNullable<ChallengersOptions['scram']>>({
    channelBindings: listOf(wordOf(['tls-exporter', 'tls-server-end-point', 'tls-unique']), 'a list of binding types'),
    reuseExporter: flag,
    key: predicate<Uint8Array>((value) => value instanceof Uint8Array, 'a Uint8Array'),
    iterations: number,
    saltLength: number,
    canonical: lookup<(username: string) => string>(),
    nonce: lookup<() => string>(),
  }),
});

const OTHER_LIMITS = Object.keys({
  loginTimeout: true,
  maxMemory: true,
  maxConnectionMemory: true,
} satisfies Record<keyof (LoginLimits & MemoryBudgetOptions), true>);
const LIMIT_NAMES = [...Object.keys(defaultLimits), ...CONNECTION_LIMITS, ...OTHER_LIMITS];
// The names come from the packages: the type names the limits, and the editor shows their comments.
const limits = strict({
  ...Object.fromEntries(LIMIT_NAMES.map((name) => [name, option(number)])),
  ...Object.fromEntries(ACCESS_SERVICES.map((name) => [name, option(v.record(v.string(), number, 'expected limits'))])),
}) as unknown as v.GenericSchema<LimitOptions>;

const throttleLimit = predicate<NonNullable<ThrottleOptions['user']>>(isObject, '{ failures, window }');
const throttle = objectOf<ThrottleOptions>({
  userAndNetwork: throttleLimit,
  network: throttleLimit,
  site: throttleLimit,
  user: throttleLimit,
  trusted: lookup<NonNullable<ThrottleOptions['trusted']>>(),
  counts: predicate<NonNullable<ThrottleOptions['counts']>>(isObject, 'an object with the counts of failures'),
  clock: predicate<NonNullable<ThrottleOptions['clock']>>(isObject, 'a clock'),
});

const users = objectOf<UsersOptions>({
  argon2id: strict({ memory: number, passes: number, parallelism: number }),
  scram: listOf(
    strict({ hash: wordOf(Object.keys(SCRAM_HASHES) as ScramHash[]), iterations: number }),
    "a list of costs, such as [{ hash: 'sha256', iterations: 60_000 }]",
  ),
  allowWeak: flag,
  queue: objectOf<NonNullable<UsersOptions['queue']>>({
    memory: number,
    poolSlots: number,
    threads: number,
    maxWaiting: number,
    timeout: number,
  }),
  cache: predicate<NonNullable<UsersOptions['cache']>>(isObject, '{ maxAge } in seconds'),
});

/**
 * The configuration of `postern serve`. `Config` is inferred from this schema, with the comment of
 * each option.
 */
const ConfigSchema = strict({
  /**
   * The URLs of the listeners: `smtp://HOST:PORT`, `pop3s://…`, `imap+unix:PATH` and the like, with
   * the schemes and parameters of `postern help listen`. Default: `smtp://127.0.0.1:2500`.
   */
  listen: option(
    v.pipe(
      v.array(text, "expected a list of URLs, such as ['smtp://127.0.0.1:2500']"),
      v.nonEmpty("expected a list of URLs, such as ['smtp://127.0.0.1:2500']"),
      v.readonly(),
    ),
  ),
  /**
   * The user databases, in the order in which the server asks them: specs as `--auth` takes them,
   * checkers, or user stores. Default: `postern.db` in the current folder if it exists, or else a
   * demo user, whose password the command prints.
   */
  auth: option(
    listOf(
      predicate<string | AnyChecker | UserStore>(
        (value) => typeof value === 'string' || isChecker(value) || (isObject(value) && isUserStore(value)),
        'a spec, a checker with credentialInterfaces and requestAvatarId, or a user store with find',
      ),
      "a list of specs, checkers and user stores, such as ['sqlite:/var/lib/postern/users.db']",
    ),
  ),
  /**
   * The parameters of user stores: the cost of new hashes (`argon2id`, `scram`), the limits of the
   * queue of hashes (`queue`), weak hashes (`allowWeak`), and a cache (`cache`). Default: those of
   * `@postern/users`.
   */
  users: option(users),
  /**
   * The target of messages: a spec as `--deliver` takes it, `relay({…})`, `maildir({…})`, one
   * delivery for all users, or a function that returns the delivery of a user. Default: `console`.
   */
  deliver: option(target),
  /**
   * The mailboxes that users read over POP3: `maildir:DIR`, `maildir({…})`, or a function
   * `(user, mind)` that opens the `Mailbox` of a user at each login. Default: the Maildirs of
   * `deliver`.
   */
  mailboxes: option(mailboxes),
  /**
   * The server behind `imap://` and `sieve://` listeners, to which each session passes after its
   * login: `imap://HOST:PORT?masterUser=NAME&password=env:NAME`, a list of such URLs, or
   * `{ imap, sieve }` with a URL or a function for each. The function `(user, mind)` returns the
   * `ImapBackEnd` or `SieveBackEnd` of a user at each login. Default: none.
   */
  backEnd: option(anyOf([text, strings, backEnds], 'a URL, a list of URLs, or { imap, sieve }')),
  /**
   * The target of notifications to senders (RFC 3461), in the forms of `deliver`. The server
   * notifies of failures that its reply cannot report, and of success if the sender asks for it. A
   * function is called for the user `mailer-daemon` at the first notification. Default: none.
   */
  notify: option(target),
  /**
   * The local recipients. The server refuses other recipients at RCPT (550 5.1.1). The forms:
   * - addresses (`ann@example.com`), local parts at each of the `domains` (`ann`), or whole domains
   *   (`@example.com`);
   * - `file:FILE` with one of these a line;
   * - `users` for the users of `auth`;
   * - a function, which returns true, or the targets of an alias. An error of the function is a
   *   temporary failure (451).
   *
   * Default: every recipient. An MX or LMTP listener with Maildirs needs `recipients` or `domains`.
   */
  recipients: option(
    anyOf([text, strings, lookup<RecipientLookup>()], 'users, file:FILE, addresses, a list of these, or a function'),
  ),
  /**
   * The local domains, or `*` for every domain. Without `recipients` each local part exists there.
   * Other domains are refused (550 5.7.1), unless a logged-in user sends to them through the next
   * server. Default: the domains of `recipients` and `aliases`.
   */
  domains: option(anyOf([text, strings], 'a list of domains, or *')),
  /**
   * Aliases by local part, address or `@domain`, each with its targets: an object, a Map, or a file
   * with a line `name: target, target` for each.
   */
  aliases: option(anyOf([text, table], 'a file, or an object or a Map of names and addresses')),
  /**
   * The addresses and domains (`@example.com`) that a user may send from. The server refuses other
   * senders at MAIL (553 5.7.1). The forms:
   * - `users`: the user name, if it is an address, or else that name at each of the `domains`;
   * - an object or a Map by user name;
   * - `file:FILE` with a line `name: address, @domain` for each user;
   * - a function of the user name.
   *
   * Default: any sender.
   */
  ownSenders: option(
    anyOf(
      [text, table, lookup<OwnSendersLookup>()],
      'users, file:FILE, a function, or an object or a Map of names and addresses',
    ),
  ),
  /**
   * The characters that separate a tag from a user, as in `ann+list@example.com`, in recipients,
   * senders and Maildirs. The empty string disables tags. Default: `+`.
   */
  recipientDelimiter: option(text),
  /**
   * The server's name in the greeting and in `Received:` fields. Default: the name of the machine.
   */
  hostname: option(text),
  /** The certificates and policies of TLS. Default: none, and then no TLS. */
  tls: option(TlsFilesSchema),
  /** The form of the log on the standard error. Default: `pretty`. */
  log: option(wordOf(LOG_FORMS)),
  /**
   * The SASL mechanisms (`mechanisms`) and their parameters, such as the server key and the
   * iterations of SCRAM.
   */
  sasl: option(sasl),
  /**
   * The file of SCRAM's server key. The first start creates it with mode 0600. The salts of unknown
   * users are derived from the key: a checker with stored SCRAM secrets needs a key that survives a
   * restart. Default: the key in the first database of `auth`, or a new key at each start.
   */
  scramKey: option(stringFor('the path of a file')),
  /**
   * Addresses and networks whose clients may send passwords without TLS, such as a network of
   * containers: `['172.16.0.0/12']`. Default: none; clients on this machine always may.
   */
  allowCleartext: option(listOf(text, 'a list of addresses and networks')),
  /**
   * Limits of a client: message size, recipients, errors, times; the number of connections at each
   * listener, from each client and each minute; the memory of connections. The schemes of other
   * protocols, such as `pop3` and `dovecot-auth`, hold the limits of their sessions. A limit that
   * is left out has the default of its package.
   */
  limits: option(limits),
  /**
   * SMTP extensions that the server does not offer, such as DSN if nothing sends notifications.
   * Default: none.
   */
  disabledExtensions: option(listOf(wordOf(optionalExtensions), `a list of ${optionalExtensions.join(', ')}`)),
  /**
   * Accepts more than the grammar, from printers, cameras and old systems: addresses without angle
   * brackets, dots anywhere in a local part, AUTH after HELO, base64 without padding. Line ends and
   * BDAT stay strict. Default: false.
   */
  lenient: option(flag),
  /**
   * The limits on failed logins of a user and a network; false for none. Default: those of
   * `@postern/throttle`.
   */
  throttle: option(anyOf([v.literal(false), throttle], 'false, or an object with limits')),
  /**
   * Logs at most 500 characters of the user name of a failed login (`username`). Users type
   * passwords into the wrong field: the log may then hold passwords. Default: false.
   */
  logUsernames: option(flag),
  /**
   * The number of processes that share the ports; `auto` is one for each core. Each process counts
   * failed logins and connections for itself. Default: 1.
   */
  workers: option(anyOf([number, v.literal('auto')], 'a whole number, or auto')),
});

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

function isChecker(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { credentialInterfaces, requestAvatarId } = value;
  return Array.isArray(credentialInterfaces) && typeof requestAvatarId === 'function';
}

/** Returns true for an object or a Map of names, each with an address or a list of addresses. */
function isTable(value: unknown): boolean {
  if (!isObject(value) || Array.isArray(value)) return false;
  const entries: readonly (readonly unknown[])[] = value instanceof Map ? [...value] : Object.entries(value);
  const isText = (part: unknown) => typeof part === 'string';
  return entries.every(
    ([name, targets]) => isText(name) && (isText(targets) || (Array.isArray(targets) && targets.every(isText))),
  );
}
