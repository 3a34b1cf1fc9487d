import { randomBytes } from 'node:crypto';
import { availableParallelism, hostname as systemHostname } from 'node:os';
import type { TlsPolicy } from '@postern/conversation';
import { MemoryBudget, type MemoryBudgetOptions } from '@postern/conversation';
import { AnonymousChecker, type AnyChecker, InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
import {
  isAddressLiteral,
  isDomain,
  type Limits,
  MessageDelivery,
  type OptionalExtension,
  withDefaultLimits,
} from '@postern/esmtp';
import { type ConnectionLimits, networks } from '@postern/node';
import { allChallengers, type ChallengersOptions, defaultChallengers } from '@postern/sasl';
import { type ThrottleOptions, withThrottle } from '@postern/throttle';
import { authSpecs, type MemoryUser, memoryUser } from './auth-specs.ts';
import type { Config, TlsFiles } from './config.ts';
import { connectionLimits } from './connection-limits.ts';
import { deliverSpecs } from './deliver-specs.ts';
import { type DeliverySetting, DeliveryTarget } from './delivery-target.ts';
import { type ListenerUrl, parseListenerUrl } from './listener-url.ts';
import type { LogForm } from './log.ts';
import { hasFiles } from './recipients.ts';
import {
  type OwnSendersSettings,
  parseDomains,
  parseOwnSenders,
  parseRecipients,
  parseTargets,
  type RecipientsSettings,
} from './recipients-settings.ts';
import { redactSpec } from './redact-spec.ts';
import { expectScramKey } from './scram-key.ts';
import { parseSpec } from './spec.ts';
import { suggestion } from './suggest.ts';
import { UsageError } from './usage-error.ts';

/** One listener, with every default filled in. */
export interface ListenerSettings extends Omit<ListenerUrl, 'tls'> {
  readonly tls: TlsPolicy;
}

/** The user who is made up where the operator names none. */
export interface DemoUser {
  readonly username: string;
  readonly password: string;
}

/** A configuration in which everything has been parsed and has its value. */
export interface Settings {
  readonly listeners: readonly ListenerSettings[];
  readonly checkers: readonly AnyChecker[];
  readonly demoUser: DemoUser | undefined;
  readonly deliver: DeliverySetting;
  /** Where notifications go; undefined for nowhere. */
  readonly notify: DeliverySetting | undefined;
  /** Who lives here; undefined if nothing says it. */
  readonly recipients: RecipientsSettings | undefined;
  /** Which addresses users may send from; undefined for any. */
  readonly ownSenders: OwnSendersSettings | undefined;
  /** The characters that separate a tag from a user. */
  readonly recipientDelimiter: string;
  readonly hostname: string;
  readonly tls: (TlsFiles & { readonly ticketSecret?: Uint8Array }) | undefined;
  readonly log: LogForm;
  readonly limits: Partial<Limits>;
  /** At each listener. */
  readonly connections: ConnectionLimits;
  /** Of each process. */
  readonly memory: MemoryBudgetOptions;
  readonly disabledExtensions: readonly OptionalExtension[];
  readonly lenient: boolean;
  readonly throttle: ThrottleOptions | false;
  readonly logUsernames: boolean;
  /** The users whose passwords stand in the specs `memory:USER:PASSWORD`. */
  readonly memoryUsers: readonly MemoryUser[];
  readonly sasl: ChallengersOptions;
  /** The file of SCRAM's server key. */
  readonly scramKey: string | undefined;
  /** Addresses and networks whose clients may send passwords without TLS. */
  readonly allowCleartext: readonly string[];
  /** How many processes serve. */
  readonly workers: number;
  /** True if others serve the same ports. */
  readonly reusePort: boolean;
}

/** A configuration, and what its operator calls its properties: `--listen`, `listen in postern.config.ts`. */
export interface ConfigSource {
  readonly config: Config;
  readonly nameOf: (key: keyof Config) => string;
}

/** Joins configurations, of which an earlier one overrides a later one property by property, `sasl` and `tls` part by part. Throws a UsageError. */
export function settingsOf(...sources: readonly ConfigSource[]): Settings {
  const choose = <K extends keyof Config, T>(key: K, parse: (value: NonNullable<Config[K]>) => T): T | undefined => {
    for (const { config, nameOf } of sources) {
      const value = config[key];
      if (value !== undefined) return naming(nameOf(key), () => parse(value as NonNullable<Config[K]>));
    }
    return undefined;
  };
  // An option names the files, and the file of the configuration says what else holds for TLS.
  const tls = choose('tls', () => Object.assign({}, ...sources.map(({ config }) => config.tls).reverse()) as TlsFiles);
  const parseListeners = (urls: readonly string[]) =>
    urls.map((url) => naming(redactSpec(url), () => withTls(parseListenerUrl(url), tls !== undefined)));
  const checkers =
    choose('auth', (auth) => auth.map((one) => (typeof one === 'string' ? parseSpec(authSpecs, one) : one))) ?? [];
  const domains = choose('domains', parseDomains);
  const aliases = choose('aliases', parseTargets);
  const recipientSources = choose('recipients', (recipients) => parseRecipients(recipients, checkers));
  const hostname = choose('hostname', parseHostname) ?? ownHostname();
  const listeners = choose('listen', parseListeners) ?? parseListeners([DEFAULT_LISTENER]);
  const demoUser =
    checkers.length === 0 && listeners.some(wantsUsers)
      ? { username: 'guest', password: randomBytes(12).toString('base64url') }
      : undefined;
  // An option names the mechanisms, and the file says how they are done.
  const sasl: Config['sasl'] = Object.assign({}, ...sources.map(({ config }) => config.sasl).reverse());
  const scramKey = choose('scramKey', (file) => file);
  expectScramKey(checkers, scramKey !== undefined || sasl?.scram?.key !== undefined);
  return {
    listeners,
    scramKey,
    checkers: demoUser === undefined ? checkers : [checkerOf(demoUser)],
    demoUser,
    deliver: choose('deliver', parseDeliver) ?? parseDeliver('console'),
    notify: choose('notify', parseDeliver),
    recipients: recipientsOf(recipientSources, domains, aliases),
    ownSenders: choose('ownSenders', parseOwnSenders),
    recipientDelimiter: choose('recipientDelimiter', parseDelimiter) ?? '+',
    hostname,
    tls,
    log: choose('log', (form) => form) ?? 'pretty',
    ...(choose('limits', parseLimits) ?? { limits: {}, connections: {}, memory: {} }),
    disabledExtensions: choose('disabledExtensions', (extensions) => extensions) ?? [],
    lenient: choose('lenient', (lenient) => lenient) ?? false,
    throttle: choose('throttle', parseThrottle) ?? {},
    logUsernames: choose('logUsernames', (isLogged) => isLogged) ?? false,
    memoryUsers: choose('auth', (auth) => auth.flatMap(memoryUser)) ?? [],
    workers: choose('workers', (workers) => checkShared(parseWorkers(workers), listeners)) ?? 1,
    reusePort: false,
    allowCleartext: choose('allowCleartext', parseNetworks) ?? [],
    sasl: choose('sasl', () => checkSasl({ ...sasl, hostname })) ?? { hostname },
  };
}

/** True if SIGHUP reads files again; without any it ends the server. */
export function readsFilesAgain({ tls, recipients, ownSenders }: FileSettings): boolean {
  if (tls !== undefined || (recipients !== undefined && hasFiles(recipients))) return true;
  return ownSenders?.kind === 'table' && 'file' in ownSenders.source;
}

/** The settings that may name files. */
export type FileSettings = Pick<Settings, 'tls' | 'recipients' | 'ownSenders'>;

function recipientsOf(
  sources: ReturnType<typeof parseRecipients> | undefined,
  domains: RecipientsSettings['domains'],
  aliases: RecipientsSettings['aliases'],
): RecipientsSettings | undefined {
  if (sources === undefined && domains === undefined && aliases === undefined) return undefined;
  return { mailboxes: undefined, files: [], users: [], lookup: undefined, ...sources, domains, aliases };
}

/** A letter or a digit would cut names in two. */
function parseDelimiter(characters: string): string {
  if (!/^[!#$%&'*+\-/=?^_`{|}~.]*$/.test(characters)) {
    throw new UsageError('expected characters such as + or -, or the empty string for no tags');
  }
  return characters;
}

/** A user database with nobody but the guest. */
export function checkerOf({ username, password }: DemoUser): AnyChecker {
  return new InMemoryUsernamePasswordDatabaseDontUse([[username, password]]);
}

function withTls(url: ListenerUrl, hasCertificate: boolean): ListenerSettings {
  const isImplicit = url.endpoint.scheme.endsWith('s');
  if ((isImplicit || url.tls === 'required') && !hasCertificate) {
    throw new UsageError('expected --tls-cert and --tls-key (or tls in the config file) for a listener that needs TLS');
  }
  if (isImplicit) return { ...url, tls: 'implicit' };
  // Nobody listens in on a UNIX socket.
  return { ...url, tls: url.tls ?? (hasCertificate && !('path' in url.endpoint) ? 'offered' : 'none') };
}

/** Tells what cannot be before the server starts. */
function checkSasl(options: ChallengersOptions): ChallengersOptions {
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
    throw new UsageError(`expected what works: ${(error as Error).message}`, { cause: error });
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

function parseDeliver(deliver: NonNullable<Config['deliver']>): DeliverySetting {
  if (typeof deliver === 'string') return parseSpec(deliverSpecs, deliver);
  if (deliver instanceof DeliveryTarget) return deliver.open;
  if (deliver instanceof MessageDelivery) return () => () => deliver;
  return () => deliver;
}

function parseLimits(given: NonNullable<Config['limits']>): Pick<Settings, 'limits' | 'connections' | 'memory'> {
  const { maxMemory, maxConnectionMemory, ...others } = given;
  const memory = {
    ...(maxMemory !== undefined && { maxMemory }),
    ...(maxConnectionMemory !== undefined && { maxConnectionMemory }),
  };
  const entries = Object.entries(others).filter(([, limit]) => limit !== undefined);
  const connections = entries.filter(([name]) => connectionLimits.has(name));
  for (const [name, limit] of connections) {
    if (!(limit >= 1)) throw new UsageError(`expected 1 or more for ${name}, not ${limit}`);
  }
  const limits = Object.fromEntries(entries.filter(([name]) => !connectionLimits.has(name)));
  possible(() => withDefaultLimits(limits));
  possible(() => new MemoryBudget(memory));
  return { limits, memory, connections: Object.fromEntries(connections) };
}

function parseThrottle(throttle: ThrottleOptions | false): ThrottleOptions | false {
  if (throttle !== false) possible(() => withThrottle(new AnonymousChecker(), throttle));
  return throttle;
}

/** What a package does not take is a mistake in the options. */
function possible(make: () => unknown): void {
  try {
    make();
  } catch (error) {
    throw new UsageError(`expected what works: ${(error as Error).message}`, { cause: error });
  }
}

function parseWorkers(workers: number | 'auto'): number {
  if (workers === 'auto') return availableParallelism();
  if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
    throw new UsageError(`expected a whole number from 1 to ${MOST_WORKERS}, or auto`);
  }
  return workers;
}

/** Processes share ports, but a UNIX socket is one process's. */
function checkShared(workers: number, listeners: readonly ListenerSettings[]): number {
  if (workers > 1 && listeners.some(({ endpoint }) => 'path' in endpoint)) {
    throw new UsageError('expected 1 where a listener is a UNIX socket, which processes cannot share');
  }
  return workers;
}

/** True if somebody has to log in there. */
function wantsUsers({ service, auth }: Pick<ListenerUrl, 'service' | 'auth'>): boolean {
  return auth === 'required' || (service === 'submission' && auth !== 'none');
}

function parseHostname(name: string): string {
  if (!isHostname(name)) throw new UsageError('expected a domain name, or an address literal such as [192.0.2.1]');
  return name;
}

function ownHostname(): string {
  const name = systemHostname();
  return isHostname(name) ? name : 'localhost';
}

function isHostname(name: string): boolean {
  return isAddressLiteral(name) || (isDomain(name) && /^[!-~]+$/.test(name));
}

/** Runs the parser; its errors begin with the name. */
function naming<T>(name: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

/** More than any machine has cores. */
const MOST_WORKERS = 1024;
const DEFAULT_LISTENER = 'smtp://127.0.0.1:2500';
