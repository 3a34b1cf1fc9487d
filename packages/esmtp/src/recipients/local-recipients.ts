import { after, type MaybePromise } from '@postern/core';
import { Mailbox, parseMailbox } from '../protocol/address.ts';
import { foldCase, foldMailbox, withoutSubaddress } from '../protocol/mailbox-identity.ts';
import { type AliasEntry, Aliases } from './aliases.ts';
import { NameTable, parseKey } from './name-table.ts';
import type { RecipientResolver, Resolution } from './recipient-resolver.ts';

/**
 * Returns true for a mailbox that exists, or the addresses that an alias leads to; nothing, or false, for neither.
 * The mailbox is folded to lower case, and never without a domain. What it throws makes the reply a 451.
 */
export type RecipientLookup = (
  mailbox: Mailbox,
) => MaybePromise<boolean | string | readonly string[] | null | undefined>;

/** Who lives here. */
export interface LocalRecipientsOptions {
  /** This server's name: the domain of names without one, where no other domain is ours. */
  readonly hostname: string;
  /** Mailboxes: `ann@example.com`, `ann` (at each domain that is ours), or `@example.com` for all of a domain. */
  readonly mailboxes?: Iterable<string>;
  /** Asked for what is not in the list. */
  readonly lookup?: RecipientLookup;
  /**
   * The domains that are ours, or `*` for every one. Without `mailboxes` and `lookup` each local part exists there.
   * Default: the domains of the mailboxes and the aliases.
   */
  readonly domains?: Iterable<string> | '*';
  /** Aliases, by address, name or `@domain`. A target without a domain is at the domain of its alias. */
  readonly aliases?: Iterable<AliasEntry>;
  /** True if aliases may lead to domains that are not ours: where messages are sent on. Default: false. */
  readonly allowForeignTargets?: boolean;
  /** The characters that separate a tag from a user, as in `ann+list@example.com`; empty for none. Default: `+`. */
  readonly recipientDelimiter?: string;
}

/**
 * Knows mailboxes, domains and aliases from a table and from a function. Case makes no difference. `postmaster` is always known
 * (RFC 5321 §4.5.1), at each domain that is ours, at the server's name and alone.
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
  /** True if each local part of our domains exists. */
  readonly #isOpen: boolean;
  /** True if only the function knows which domains are ours. */
  readonly #hasHiddenDomains: boolean;

  /**
   * @throws TypeError for a mailbox or a domain that is none.
   * @throws AliasError for an alias that leads back to itself, to nobody or to too many.
   */
  constructor(options: LocalRecipientsOptions) {
    const { hostname, mailboxes, lookup, domains, aliases = [], allowForeignTargets = false } = options;
    this.#hostname = foldCase(hostname);
    this.#delimiter = options.recipientDelimiter ?? '+';
    this.#lookup = lookup;
    this.#isOpen = domains !== undefined && mailboxes === undefined && lookup === undefined;
    this.#hasHiddenDomains = lookup !== undefined && domains === undefined;
    for (const mailbox of mailboxes ?? []) addMailbox(this.#mailboxes, mailbox);
    const entries = [...aliases];
    this.#domains = domains === '*' ? '*' : domainsOf(domains, this.#mailboxes, entries, this.#hostname);
    const [first] = this.#domains === '*' ? [] : this.#domains;
    this.#defaultDomain = first ?? this.#hostname;
    this.#aliases = new Aliases(entries, {
      defaultDomain: this.#defaultDomain,
      isOwn: (domain) => this.#isOwn(domain),
      takes: (mailbox) => this.#takes(mailbox, allowForeignTargets),
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

  /** Undefined if only the function can tell. */
  #find(mailbox: Mailbox): Resolution | undefined {
    const user = withoutSubaddress(mailbox, this.#delimiter);
    const exact = this.#findExactly(mailbox) ?? (user === mailbox ? undefined : this.#findExactly(user));
    if (exact !== undefined) return exact;
    const { domain } = mailbox;
    if (this.#mailboxes.ofDomain(domain) || (this.#isOpen && this.#isOwn(domain))) return 'known';
    if (this.#lookup !== undefined && (this.#hasHiddenDomains || this.#isOwn(domain))) return undefined;
    return this.#findOther(mailbox);
  }

  #findExactly(mailbox: Mailbox): Resolution | undefined {
    const alias = this.#aliases.get(mailbox);
    if (alias !== undefined) return this.#aliases.expand(alias, mailbox);
    return this.#hasMailbox(mailbox) ? 'known' : undefined;
  }

  /** An address that is neither alias nor mailbox. */
  #findOther(mailbox: Mailbox): Resolution {
    const { domain } = mailbox;
    const catchAll = this.#aliases.catchAll(domain);
    if (catchAll !== undefined) return this.#aliases.expand(catchAll, mailbox);
    if (this.#isPostmaster(mailbox)) return 'known';
    return this.#isOwn(domain) || this.#hasHiddenDomains ? 'unknown' : 'foreign';
  }

  /** Asks the function: for the user of a tag, too. */
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

  /** Whether an alias may lead to the mailbox; undefined if the function may know it. */
  #takes(mailbox: Mailbox, allowForeignTargets: boolean): boolean | undefined {
    const user = withoutSubaddress(mailbox, this.#delimiter);
    if (this.#hasMailbox(mailbox) || this.#hasMailbox(user) || this.#isPostmaster(user)) return true;
    const { domain } = mailbox;
    if (this.#mailboxes.ofDomain(domain) || (this.#isOpen && this.#isOwn(domain))) return true;
    if (this.#lookup !== undefined && (this.#hasHiddenDomains || this.#isOwn(domain))) return undefined;
    return allowForeignTargets && !this.#isOwn(domain);
  }

  #isOwn(domain: string): boolean {
    return this.#domains === '*' || this.#domains.has(domain);
  }
}

/** Where the client named no domain the mailbox has one. */
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
  // Names need a domain.
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
  if (mailbox === undefined) throw new TypeError('the lookup of a recipient returned a target that is no address');
  return mailbox;
}
