import { type AnyChecker, isUserDirectory, type UserDirectory } from '@postern/cred';
import { type AliasEntry, isAddressLiteral, isDomain, type RecipientLookup } from '@postern/esmtp';
import { isAddress, splitTargets } from './address-files.ts';
import type { Config, OwnSendersLookup } from './config.ts';
import { UsageError } from './errors.ts';
import { splitList } from './option-values.ts';
import { suggestion } from './suggest.ts';

/** A file of names and addresses, or its entries. */
export type TargetsSource = { readonly file: string } | { readonly entries: readonly AliasEntry[] };

/** The settings of local recipients, before any file is read. */
export interface RecipientsSettings {
  /** Addresses, local parts and `@domain`. Undefined if no list names recipients. */
  readonly mailboxes: readonly string[] | undefined;
  readonly files: readonly string[];
  /** The user databases whose users are recipients. */
  readonly users: readonly UserDirectory[];
  readonly lookup: RecipientLookup | undefined;
  readonly domains: readonly string[] | '*' | undefined;
  readonly aliases: TargetsSource | undefined;
}

/** The settings of each user's own senders, before any file is read. */
export type OwnSendersSettings =
  | { readonly kind: 'users' }
  | { readonly kind: 'table'; readonly source: TargetsSource }
  | { readonly kind: 'lookup'; readonly lookup: OwnSendersLookup };

/** The parts of {@link RecipientsSettings} that the option `recipients` sets. */
type Sources = Pick<RecipientsSettings, 'mailboxes' | 'files' | 'users' | 'lookup'>;

/**
 * Parses the option `recipients`.
 *
 * @throws UsageError
 */
export function parseRecipients(
  recipients: NonNullable<Config['recipients']>,
  checkers: readonly AnyChecker[],
): Sources {
  if (typeof recipients === 'function') return { ...NO_SOURCES, lookup: recipients };
  const specs = typeof recipients === 'string' ? [recipients] : recipients;
  const mailboxes: string[] = [];
  const files: string[] = [];
  let users: readonly UserDirectory[] = [];
  for (const spec of specs) {
    if (spec === 'users') users = directoriesOf(checkers);
    else if (spec.startsWith('file:') && spec !== 'file:') files.push(spec.slice('file:'.length));
    else mailboxes.push(...parseAddresses(spec));
  }
  return { ...NO_SOURCES, mailboxes: users.length === 0 || mailboxes.length > 0 ? mailboxes : undefined, files, users };
}

/**
 * Parses the option `domains`: domains, address literals, or `*`.
 *
 * @throws UsageError
 */
export function parseDomains(domains: NonNullable<Config['domains']>): readonly string[] | '*' {
  const list = typeof domains === 'string' ? splitList(domains) : domains;
  if (list.includes('*')) {
    if (list.length > 1) throw new UsageError('expected * alone, or domains');
    return '*';
  }
  const wrong = list.find((domain) => !isDomain(domain) && !isAddressLiteral(domain));
  if (wrong !== undefined || list.length === 0) {
    throw new UsageError(`expected domains, such as example.com, or *${wrong === undefined ? '' : `, not ${wrong}`}`);
  }
  return list;
}

/**
 * Parses the option `aliases`: the name of a file, or a table of names and addresses.
 *
 * @throws UsageError
 */
export function parseTargets(source: NonNullable<Config['aliases']>): TargetsSource {
  if (typeof source === 'string') {
    const file = source.replace(/^file:/, '');
    if (file === '') throw new UsageError('expected a file');
    return { file };
  }
  const entries = isMap(source) ? [...source] : Object.entries(source);
  return {
    entries: entries.map(([name, targets]) => [name, typeof targets === 'string' ? splitTargets(targets) : targets]),
  };
}

/**
 * Parses the option `ownSenders`.
 *
 * @throws UsageError
 */
export function parseOwnSenders(source: NonNullable<Config['ownSenders']>): OwnSendersSettings {
  if (typeof source === 'function') return { kind: 'lookup', lookup: source };
  if (source === 'users') return { kind: 'users' };
  if (typeof source === 'string' && !/^file:./s.test(source)) {
    throw new UsageError(`expected users or file:FILE${suggestion(source.replace(/:.*/s, ''), ['users', 'file'])}`);
  }
  return { kind: 'table', source: parseTargets(source) };
}

function directoriesOf(checkers: readonly AnyChecker[]): readonly UserDirectory[] {
  const directories = checkers.filter((checker) => isUserDirectory(checker));
  if (directories.length > 0) return directories;
  throw new UsageError('users: expected a user database in --auth with the method hasUser');
}

function parseAddresses(spec: string): readonly string[] {
  const addresses = splitTargets(spec);
  const wrong = addresses.find((address) => !isAddress(address));
  if (wrong === undefined && addresses.length > 0) return addresses;
  const mistake = wrong === undefined ? '' : `, not ${JSON.stringify(wrong)}`;
  throw new UsageError(`expected users, file:FILE, or addresses such as ann@example.com or @example.com${mistake}`);
}

function isMap<K, V>(value: ReadonlyMap<K, V> | object): value is ReadonlyMap<K, V> {
  return value instanceof Map;
}

const NO_SOURCES: Sources = { mailboxes: undefined, files: [], users: [], lookup: undefined };
