import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname as systemHostname } from 'node:os';
import type { MemoryBudgetOptions } from '@postern/conversation';
import { type AnyChecker, InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
import { type Limits, MessageDelivery, type OptionalExtension } from '@postern/esmtp';
import { type ConnectionLimits, type InheritedSockets, networks } from '@postern/node';
import { allChallengers, type ChallengersOptions, defaultChallengers } from '@postern/sasl';
import type { FailureCounts, ThrottleOptions } from '@postern/throttle';
import { authSpecs, type MemoryUser, memoryUser } from './auth-specs.ts';
import { type BackEnds, expectBackEnds, parseBackEnds } from './back-ends.ts';
import type { TlsSettings } from './certificates.ts';
import type { Config, TlsFiles } from './config.ts';
import { findConfigFile, loadConfig } from './config-file.ts';
import { databaseExists, defaultDatabase } from './default-database.ts';
import { deliverSpecs } from './deliver-specs.ts';
import { DeliveryTarget } from './delivery-target.ts';
import { UsageError, underName } from './errors.ts';
import { type AccessLimits, type LimitSettings, type LoginLimits, parseLimits, parseThrottle } from './limits.ts';
import { type ListenerSettings, parseListeners, takesUsers } from './listener-settings.ts';
import type { LogForm } from './log.ts';
import type { MailboxSource } from './mailbox-source.ts';
import { expectMailboxes, parseMailboxes } from './mailboxes-settings.ts';
import { isHostname, parseSpec } from './option-values.ts';
import { optionOf, parseOptions } from './options.ts';
import { hasFiles } from './recipients.ts';
import {
  type OwnSendersSettings,
  parseDomains,
  parseOwnSenders,
  parseRecipients,
  parseTargets,
  type RecipientsSettings,
} from './recipients-settings.ts';
import { expectScramKey } from './scram-key.ts';
import { suggestion } from './suggest.ts';
import { storeCheckersOf, UserStoreChecker } from './user-store-checker.ts';
import { hasLiteralPassword, isUserStore, ownStore, type UserStoreSpec, userStoreSpecs } from './user-store-spec.ts';
import type { UsersOptions } from './users-options.ts';

/** The user that the server makes up if the operator names none. */
export interface DemoUser {
  readonly username: string;
  readonly password: string;
}

/** The parsed configuration, with every default. */
export interface Settings {
  readonly listeners: readonly ListenerSettings[];
  readonly checkers: readonly AnyChecker[];
  readonly demoUser: DemoUser | undefined;
  /** The database that the server uses because no option names users. Undefined for none. */
  readonly defaultDatabase: UserStoreSpec | undefined;
  /** True if the default database gets a user `demo` while it has no users. */
  readonly keepsDemoUser: boolean;
  /** The options of user stores. */
  readonly users: UsersOptions;
  /** The target of messages. */
  readonly deliver: DeliveryTarget;
  /** The target of notifications to senders. Undefined for none. */
  readonly notify: DeliveryTarget | undefined;
  /** The mailboxes that users read over POP3. Undefined if no option names them. */
  readonly mailboxes: MailboxSource | undefined;
  /** The servers behind IMAP and ManageSieve. */
  readonly backEnds: BackEnds;
  /** The local recipients. Undefined if no option names them. */
  readonly recipients: RecipientsSettings | undefined;
  /** The addresses that users may send from. Undefined for any address. */
  readonly ownSenders: OwnSendersSettings | undefined;
  /** The characters that separate a tag from a user. */
  readonly recipientDelimiter: string;
  readonly hostname: string;
  readonly tls: TlsSettings | undefined;
  readonly log: LogForm;
  readonly limits: Partial<Limits>;
  /** The limits of POP3, IMAP and ManageSieve. */
  readonly accessLimits: AccessLimits;
  /** The limit of each login. */
  readonly logins: LoginLimits;
  /** The limits of each listener. */
  readonly connections: ConnectionLimits;
  /** The memory limits of each process. */
  readonly memory: MemoryBudgetOptions;
  readonly disabledExtensions: readonly OptionalExtension[];
  readonly lenient: boolean;
  readonly throttle: ThrottleOptions | false;
  /** The sockets that a service manager passed on. Undefined for none. */
  readonly inherited?: InheritedSockets;
  /** The failed logins of all workers. Undefined in a server without workers. */
  readonly sharedCounts: FailureCounts | undefined;
  readonly logUsernames: boolean;
  /** The users whose passwords are in the specs `memory:USER:PASSWORD`. */
  readonly memoryUsers: readonly MemoryUser[];
  /** The user databases whose passwords are in the arguments of the process, without secrets. */
  readonly exposedDatabases: readonly string[];
  readonly sasl: ChallengersOptions;
  /** The file of SCRAM's server key. */
  readonly scramKey: string | undefined;
  /** SCRAM's server key of the processes that serve together, which ends with them. */
  readonly sharedScramKey: Uint8Array | undefined;
  /** Addresses and networks whose clients may send passwords without TLS. */
  readonly allowCleartext: readonly string[];
  /** The number of processes that serve. */
  readonly workers: number;
  /** True if other processes serve the same ports. */
  readonly reusePort: boolean;
}

/**
 * A configuration, and the operator's name of each property: `--listen`,
 * `postern.config.ts: listen`.
 */
export interface ConfigSource {
  readonly config: Config;
  readonly nameOf: (key: keyof Config) => string;
}

/**
 * Reads the settings from the arguments of `serve` or `explain` and from the config file. If both
 * name no users, the default database counts, or with `--demo` is to be created.
 *
 * @throws UsageError
 */
export async function readSettings(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<Settings> {
  const { config, configFile, demo } = parseOptions(argv);
  const sources: ConfigSource[] = [{ config, nameOf: optionOf }];
  const file = findConfigFile(configFile);
  if (file !== undefined) sources.push({ config: await loadConfig(file), nameOf: (key) => `${file}: ${key}` });
  const hasUsers = sources.some(({ config: { auth = [] } }) => auth.length > 0);
  const settings = (hasUsers ? undefined : withDefaultDatabase(sources, demo, env)) ?? settingsOf(...sources);
  return { ...settings, exposedDatabases: exposedDatabases(config) };
}

function exposedDatabases({ auth = [] }: Config): readonly string[] {
  const specs = auth.filter((entry) => typeof entry === 'string').filter(hasLiteralPassword);
  return specs.map((spec) => parseSpec(userStoreSpecs, spec).name);
}

/**
 * Returns the settings with the default database, for a configuration without users. Returns
 * undefined if there is no such database, or if no listener lets users log in.
 */
function withDefaultDatabase(
  sources: readonly ConfigSource[],
  demo: boolean,
  env: NodeJS.ProcessEnv,
): Settings | undefined {
  const database = defaultDatabase(env);
  if (!demo && !databaseExists(database)) return undefined;
  const source = { config: { auth: [new UserStoreChecker(database)] }, nameOf: optionOf };
  const settings = { ...settingsOf(...sources, source), defaultDatabase: database, keepsDemoUser: demo };
  return settings.listeners.some(takesUsers) ? settings : undefined;
}

/**
 * Parses configurations. An earlier configuration overrides a later one: property by property, and
 * part by part in `sasl` and `tls`.
 *
 * @throws UsageError that begins with the operator's name of the property.
 */
export function settingsOf(...sources: readonly ConfigSource[]): Settings {
  const parse = <K extends keyof Config, T>(key: K, parser: (value: NonNullable<Config[K]>) => T): T | undefined => {
    for (const { config, nameOf } of sources) {
      const value = config[key];
      if (value !== undefined) return underName(nameOf(key), () => parser(value as NonNullable<Config[K]>));
    }
    return undefined;
  };
  // An option names the files of TLS, and the config file the rest.
  const tls = parse('tls', () => Object.assign({}, ...sources.map(({ config }) => config.tls).reverse()) as TlsFiles);
  const checkers = parse('auth', (auth) => auth.map(parseAuth)) ?? [];
  const domains = parse('domains', parseDomains);
  const aliases = parse('aliases', parseTargets);
  const recipientSources = parse('recipients', (recipients) => parseRecipients(recipients, checkers));
  const hostname = parse('hostname', parseHostname) ?? ownHostname();
  const parseUrls = (urls: readonly string[]) => parseListeners(urls, tls !== undefined);
  const listeners = parse('listen', parseUrls) ?? parseUrls([DEFAULT_LISTENER]);
  const deliver = parse('deliver', parseDeliver) ?? parseDeliver('console');
  const mailboxes = parse('mailboxes', parseMailboxes) ?? deliver.mailboxes;
  expectMailboxes(mailboxes, listeners);
  const backEnds = parse('backEnd', parseBackEnds) ?? {};
  expectBackEnds(backEnds, listeners);
  const demoUser =
    checkers.length === 0 && listeners.some(takesUsers)
      ? { username: 'demo', password: randomBytes(12).toString('base64url') }
      : undefined;
  // An option names the mechanisms, and the config file their parameters.
  const sasl: Config['sasl'] = Object.assign({}, ...sources.map(({ config }) => config.sasl).reverse());
  const hasKey = sasl?.scram?.key !== undefined;
  const scramKey = parse('scramKey', (file) => file);
  const keepsKey = storeCheckersOf(checkers).some(({ keepsScramKey }) => keepsScramKey);
  expectScramKey(checkers, scramKey !== undefined || hasKey || keepsKey);
  return {
    listeners,
    scramKey,
    sharedScramKey: undefined,
    checkers: demoUser === undefined ? checkers : [checkerOf(demoUser)],
    demoUser,
    defaultDatabase: undefined,
    keepsDemoUser: false,
    users: parse('users', (users) => users) ?? {},
    deliver,
    mailboxes,
    backEnds,
    notify: parse('notify', parseDeliver),
    recipients: recipientsOf(recipientSources, domains, aliases),
    ownSenders: parse('ownSenders', parseOwnSenders),
    recipientDelimiter: parse('recipientDelimiter', parseDelimiter) ?? '+',
    hostname,
    tls,
    log: parse('log', (form) => form) ?? 'pretty',
    ...(parse('limits', parseLimits) ?? NO_LIMITS),
    disabledExtensions: parse('disabledExtensions', (extensions) => extensions) ?? [],
    lenient: parse('lenient', (lenient) => lenient) ?? false,
    throttle: parse('throttle', parseThrottle) ?? {},
    sharedCounts: undefined,
    logUsernames: parse('logUsernames', (isLogged) => isLogged) ?? false,
    memoryUsers: parse('auth', (auth) => auth.flatMap(memoryUser)) ?? [],
    exposedDatabases: [],
    workers: parse('workers', (workers) => expectSharedPorts(parseWorkers(workers), listeners)) ?? 1,
    reusePort: false,
    allowCleartext: parse('allowCleartext', parseNetworks) ?? [],
    sasl: parse('sasl', () => expectMechanisms({ ...sasl, hostname })) ?? { hostname },
  };
}

/** Returns true if SIGHUP reloads files. Otherwise SIGHUP ends the server. */
export function readsFilesAgain({ tls, recipients, ownSenders, checkers }: FileSettings): boolean {
  if (storeCheckersOf(checkers).some(({ readsFiles }) => readsFiles)) return true;
  if (tls !== undefined || (recipients !== undefined && hasFiles(recipients))) return true;
  return ownSenders?.kind === 'table' && 'file' in ownSenders.source;
}

/** The settings that may name files. */
export type FileSettings = Pick<Settings, 'tls' | 'recipients' | 'ownSenders' | 'checkers'>;

/** Parses an entry of the option `auth`: a spec, a checker, or a user store. */
function parseAuth(entry: NonNullable<Config['auth']>[number], index: number): AnyChecker {
  if (typeof entry === 'string') return parseSpec(authSpecs, entry);
  return isUserStore(entry) ? new UserStoreChecker(ownStore(entry, `auth ${index + 1}`)) : entry;
}

/** Returns a user database with the demo user only. */
export function checkerOf({ username, password }: DemoUser): AnyChecker {
  return new InMemoryUsernamePasswordDatabaseDontUse([[username, password]]);
}

function recipientsOf(
  sources: ReturnType<typeof parseRecipients> | undefined,
  domains: RecipientsSettings['domains'],
  aliases: RecipientsSettings['aliases'],
): RecipientsSettings | undefined {
  if (sources === undefined && domains === undefined && aliases === undefined) return undefined;
  return { mailboxes: undefined, files: [], users: [], lookup: undefined, ...sources, domains, aliases };
}

/** A letter or a digit would split names. */
function parseDelimiter(characters: string): string {
  if (!/^[!#$%&'*+\-/=?^_`{|}~.]*$/.test(characters)) {
    throw new UsageError('expected characters such as + or -, or the empty string for no tags');
  }
  return characters;
}

/** Checks the names and parameters of the mechanisms before the server starts. */
function expectMechanisms(options: ChallengersOptions): ChallengersOptions {
  const known = allChallengers(options).map(({ mechanism }) => mechanism);
  const unknown = options.mechanisms?.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `unknown mechanism ${JSON.stringify(unknown)}: expected ${known.join(', ')}${suggestion(unknown, known)}`,
    );
  }
  try {
    defaultChallengers(options);
    return options;
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function parseNetworks(list: readonly string[]): readonly string[] {
  try {
    networks(list);
    return list;
  } catch (error) {
    throw new UsageError(`expected addresses and networks, such as 172.16.0.0/12: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

function parseDeliver(deliver: NonNullable<Config['deliver']>): DeliveryTarget {
  if (typeof deliver === 'string') return parseSpec(deliverSpecs, deliver);
  if (deliver instanceof DeliveryTarget) return deliver;
  if (deliver instanceof MessageDelivery) return new DeliveryTarget(() => () => deliver);
  return new DeliveryTarget(() => deliver);
}

function parseWorkers(workers: number | 'auto'): number {
  if (workers === 'auto') return availableParallelism();
  if (!Number.isInteger(workers) || workers < 1 || workers > MAX_WORKERS) {
    throw new UsageError(`expected a whole number from 1 to ${MAX_WORKERS}, or auto`);
  }
  return workers;
}

/** Processes can share a port; a UNIX socket belongs to one process. */
function expectSharedPorts(workers: number, listeners: readonly ListenerSettings[]): number {
  if (workers > 1 && listeners.some(({ endpoint }) => 'path' in endpoint)) {
    throw new UsageError('expected 1 where a listener is a UNIX socket, which processes cannot share');
  }
  return workers;
}

function parseHostname(name: string): string {
  if (!isHostname(name)) throw new UsageError('expected a domain name, or an address literal such as [192.0.2.1]');
  return name;
}

function ownHostname(): string {
  const name = systemHostname();
  return isHostname(name) ? name : 'localhost';
}

/** More than any machine has cores. */
const MAX_WORKERS = 1024;
const DEFAULT_LISTENER = 'smtp://127.0.0.1:2500';
const NO_LIMITS: LimitSettings = { limits: {}, accessLimits: {}, logins: {}, connections: {}, memory: {} };
