import { after, type MaybePromise } from '@postern/core';
import { type ForwardPath, Mailbox, parseMailbox } from '../protocol/address.ts';
import { foldCase, foldMailbox, withoutSubaddress } from '../protocol/mailbox-identity.ts';
import { type AliasEntry, Aliases } from './aliases.ts';
import { NameTable, parseKey } from './name-table.ts';

/** Resolves recipients: from a table, a directory or a database. */
export interface RecipientResolver {
  /**
   * Returns the meaning of an address that a client names with RCPT. An error that is not a
   * Rejection makes the reply a 451.
   */
  resolve(address: ForwardPath): MaybePromise<Resolution>;
}

/**
 * The meaning of an address. `known`: a mailbox of this server. A list: the mailboxes of an alias.
 * `unknown`: no mailbox, at a domain of this server. `foreign`: an address at another domain.
 */
export type Resolution = 'known' | 'unknown' | 'foreign' | readonly Mailbox[];

/**
 * Returns true for a mailbox that exists, or the addresses of an alias; otherwise false or nothing.
 * The mailbox is in lower case and always has a domain. An error makes the reply a 451.
 */
export type RecipientLookup = (
  mailbox: Mailbox,
) => MaybePromise<boolean | string | readonly string[] | null | undefined>;

/** The options of {@link LocalRecipients}. */
export interface LocalRecipientsOptions {
  /** This server's name: the domain of names without a domain, if `domains` has none. */
  readonly hostname: string;
  /**
   * Mailboxes: `ann@example.com`, `ann` (at each domain of this server), or `@example.com` for a
   * whole domain.
   */
  readonly mailboxes?: Iterable<string>;
  /** Called for an address that is not in the list. */
  readonly lookup?: RecipientLookup;
  /**
   * The domains of this server, or `*` for each domain. Without `mailboxes` and `lookup` each local
   * part exists there. Default: the domains of the mailboxes and the aliases.
   */
  readonly domains?: Iterable<string> | '*';
  /**
   * Aliases, by address, name or `@domain`. A target without a domain is at the domain of its
   * alias.
   */
  readonly aliases?: Iterable<AliasEntry>;
  /**
   * True if aliases may have targets at domains of other servers: then messages are forwarded.
   * Default: false.
   */
  readonly allowForeignTargets?: boolean;
  /**
   * The characters that separate a user from a tag, as in `ann+list@example.com`; empty for no
   * tags. Default: `+`.
   */
  readonly recipientDelimiter?: string;
}

/**
 * Resolves recipients from a table of mailboxes, domains and aliases, and from a lookup function.
 * Ignores the case of addresses. `postmaster` is always known (RFC 5321 §4.5.1): at each domain of
 * this server, at its hostname and without a domain.
 *
 * @example
 * ```ts
 * import { LocalRecipients, parseMailbox } from '@postern/esmtp';
 *
 * const recipients = new LocalRecipients({
 *   hostname: 'mx.example.com',
 *   mailboxes: ['ann@example.com'],
 *   aliases: [['sales', ['ann']]],
 *   lookup: async ({ localPart }) => localPart === 'eve',
 * });
 * const sales = parseMailbox('sales@example.com');
 * if (sales !== undefined) console.log(await recipients.resolve(sales));
 * ```
 */
export class LocalRecipients implements RecipientResolver {
  /** True if `postmaster` has an alias or a mailbox in the table. */
  readonly hasPostmaster: boolean;
  readonly #mailboxes = new NameTable<true>();
  readonly #aliases: Aliases;
  readonly #domains: ReadonlySet<string> | '*';
  readonly #defaultDomain: string;
  readonly #hostname: string;
  readonly #delimiter: string;
  readonly #lookup: RecipientLookup | undefined;
  /** True if each local part of this server's domains exists. */
  readonly #acceptsAll: boolean;
  /** True if only the lookup knows the domains of this server. */
  readonly #hasUnlistedDomains: boolean;

  /**
   * @throws TypeError for an invalid mailbox or domain.
   * @throws AliasError for an alias with a loop, an unknown target or too many targets.
   */
  constructor(options: LocalRecipientsOptions) {
    const { hostname, mailboxes, lookup, domains, aliases = [], allowForeignTargets = false } = options;
    this.#hostname = foldCase(hostname);
    this.#delimiter = options.recipientDelimiter ?? '+';
    this.#lookup = lookup;
    this.#acceptsAll = domains !== undefined && mailboxes === undefined && lookup === undefined;
    this.#hasUnlistedDomains = lookup !== undefined && domains === undefined;
    for (const mailbox of mailboxes ?? []) addMailbox(this.#mailboxes, mailbox);
    const entries = [...aliases];
    this.#domains = domains === '*' ? '*' : domainsOf(domains, this.#mailboxes, entries, this.#hostname);
    const [first] = this.#domains === '*' ? [] : this.#domains;
    this.#defaultDomain = first ?? this.#hostname;
    this.#aliases = new Aliases(entries, {
      defaultDomain: this.#defaultDomain,
      isOwn: (domain) => this.#isOwn(domain),
      accepts: (mailbox) => this.#accepts(mailbox, allowForeignTargets),
    });
    const postmaster = new Mailbox('postmaster', this.#defaultDomain);
    this.hasPostmaster = this.#aliases.get(postmaster) !== undefined || this.#hasMailbox(postmaster);
  }

  resolve(address: Mailbox): MaybePromise<Resolution> {
    const folded = foldMailbox(address);
    const mailbox = folded.domain === '' ? new Mailbox(folded.localPart, this.#defaultDomain) : folded;
    const found = this.#find(mailbox);
    if (found === undefined) return this.#ask(mailbox, address);
    return found === 'known' ? known(mailbox, address) : found;
  }

  /** Returns undefined if only the lookup can tell. */
  #find(mailbox: Mailbox): Resolution | undefined {
    const user = withoutSubaddress(mailbox, this.#delimiter);
    const exact = this.#findExactly(mailbox) ?? (user === mailbox ? undefined : this.#findExactly(user));
    if (exact !== undefined) return exact;
    const { domain } = mailbox;
    if (this.#mailboxes.ofDomain(domain) || (this.#acceptsAll && this.#isOwn(domain))) return 'known';
    if (this.#lookup !== undefined && (this.#hasUnlistedDomains || this.#isOwn(domain))) return undefined;
    return this.#findOther(mailbox);
  }

  #findExactly(mailbox: Mailbox): Resolution | undefined {
    const alias = this.#aliases.get(mailbox);
    if (alias !== undefined) return this.#aliases.expand(alias, mailbox);
    return this.#hasMailbox(mailbox) ? 'known' : undefined;
  }

  /** Resolves an address that is neither an alias nor a mailbox. */
  #findOther(mailbox: Mailbox): Resolution {
    const { domain } = mailbox;
    const catchAll = this.#aliases.catchAll(domain);
    if (catchAll !== undefined) return this.#aliases.expand(catchAll, mailbox);
    if (this.#isPostmaster(mailbox)) return 'known';
    return this.#isOwn(domain) || this.#hasUnlistedDomains ? 'unknown' : 'foreign';
  }

  /** Asks the lookup for the address, and then for the address without its tag. */
  #ask(mailbox: Mailbox, address: Mailbox): MaybePromise<Resolution> {
    const user = withoutSubaddress(mailbox, this.#delimiter);
    return after(this.#lookUp(mailbox), (exact) => {
      const answer = exact ?? (user === mailbox ? undefined : this.#lookUp(user));
      return after(answer, (resolution) => {
        const found = resolution ?? this.#findOther(mailbox);
        return found === 'known' ? known(mailbox, address) : found;
      });
    });
  }

  #lookUp(mailbox: Mailbox): MaybePromise<Resolution | undefined> {
    return after(this.#lookup?.(mailbox), (answer) => {
      if (answer === true) return 'known';
      if (answer === undefined || answer === null || answer === false) return undefined;
      const targets = typeof answer === 'string' ? [answer] : answer;
      return targets.length === 0 ? undefined : targets.map(parseTarget);
    });
  }

  #hasMailbox(mailbox: Mailbox): boolean {
    return this.#mailboxes.get(mailbox, this.#isOwn(mailbox.domain)) !== undefined;
  }

  #isPostmaster({ localPart, domain }: Mailbox): boolean {
    return localPart === 'postmaster' && (this.#isOwn(domain) || domain === this.#hostname);
  }

  /**
   * Returns true if the mailbox may be the target of an alias; undefined if the lookup may know it.
   */
  #accepts(mailbox: Mailbox, allowForeignTargets: boolean): boolean | undefined {
    const user = withoutSubaddress(mailbox, this.#delimiter);
    if (this.#hasMailbox(mailbox) || this.#hasMailbox(user) || this.#isPostmaster(user)) return true;
    const { domain } = mailbox;
    if (this.#mailboxes.ofDomain(domain) || (this.#acceptsAll && this.#isOwn(domain))) return true;
    if (this.#lookup !== undefined && (this.#hasUnlistedDomains || this.#isOwn(domain))) return undefined;
    return allowForeignTargets && !this.#isOwn(domain);
  }

  #isOwn(domain: string): boolean {
    return this.#domains === '*' || this.#domains.has(domain);
  }
}

/** Gives an address without a domain the domain of its mailbox. */
function known(mailbox: Mailbox, address: Mailbox): Resolution {
  return address.domain === '' ? [mailbox] : 'known';
}

function addMailbox(table: NameTable<true>, mailbox: string): void {
  if (parseKey(mailbox) === undefined) {
    throw new TypeError(`expected an address, a name or @domain, not ${JSON.stringify(mailbox)}`);
  }
  table.add(mailbox, true);
}

function domainsOf(
  domains: Iterable<string> | undefined,
  mailboxes: NameTable<true>,
  aliases: readonly AliasEntry[],
  hostname: string,
): ReadonlySet<string> {
  const found = new Set<string>();
  for (const domain of domains ?? []) found.add(parseDomain(domain));
  for (const [{ domain }] of mailboxes.entries()) found.add(domain);
  const keys = new NameTable<true>();
  for (const [name] of aliases) keys.add(name, true);
  for (const [{ domain }] of keys.entries()) found.add(domain);
  found.delete('');
  // A name needs a domain to become an address.
  if (domains === undefined && found.size === 0 && (mailboxes.hasNames || keys.hasNames)) found.add(hostname);
  return found;
}

function parseDomain(text: string): string {
  const domain = parseMailbox(`x@${text}`)?.domain;
  if (domain === undefined) throw new TypeError(`expected a domain, not ${JSON.stringify(text)}`);
  return foldCase(domain);
}

function parseTarget(target: string): Mailbox {
  const mailbox = parseMailbox(target);
  if (mailbox === undefined) throw new TypeError('the lookup of a recipient returned a target that is not an address');
  return mailbox;
}
