import { Mailbox, parseMailbox } from '../protocol/address.ts';
import { foldCase, foldMailbox } from '../protocol/mailbox-identity.ts';
import { NameTable } from './name-table.ts';

/** An alias and its targets: `['sales', ['ann', 'bob@example.org']]`. */
export type AliasEntry = readonly [name: string, targets: readonly string[]];

/** An alias that cannot be used: a loop, an unknown target, or too many targets. */
export class AliasError extends Error {
  /** The name of the alias, as its table has it. */
  readonly alias: string;

  constructor(alias: string, message: string) {
    super(`alias ${alias}: ${message}`);
    this.alias = alias;
  }

  override get name(): string {
    return 'AliasError';
  }
}

/** The addresses that are not aliases, as a table of aliases asks for them. */
export interface AliasScope {
  /** The domain of a target that has no domain and is unknown at the domain of its alias. */
  readonly defaultDomain: string;
  /** True for a domain at which names without a domain exist. */
  readonly isOwn: (domain: string) => boolean;
  /**
   * True if the server accepts mail for the mailbox; undefined if only a lookup at run time can
   * tell.
   */
  readonly accepts: (mailbox: Mailbox) => boolean | undefined;
}

/** An alias as its table has it. */
export interface Alias {
  readonly name: string;
  readonly targets: readonly Target[];
}

/** A target, as it is written and in lower case. The domain is empty for a name without one. */
interface Target {
  readonly folded: Mailbox;
  readonly written: Mailbox;
}

/** The mailboxes that an expansion has found so far, and the aliases that it has passed. */
interface Collected {
  readonly mailboxes: Map<string, Mailbox>;
  readonly aliases: Set<string>;
}

/**
 * Aliases whose expansion always ends: without loops, and with at most 1,000 targets each (as in
 * Postfix).
 */
export class Aliases {
  readonly #table = new NameTable<Alias>();
  readonly #scope: AliasScope;
  /** The expansions so far, by the name of the alias and the domain of the address. */
  readonly #expansions = new Map<string, readonly Mailbox[]>();

  /**
   * @throws AliasError for an invalid name or target, a name that occurs twice, a loop and an
   * unknown target.
   */
  constructor(entries: Iterable<AliasEntry>, scope: AliasScope) {
    this.#scope = scope;
    for (const [name, targets] of entries) {
      if (targets.length === 0) throw new AliasError(name, 'expected at least one target');
      const alias = { name, targets: targets.map((target) => parseTarget(name, target)) };
      if (!this.#table.add(name, alias)) {
        throw new AliasError(name, 'expected a name, an address or @domain, and each of them once');
      }
    }
    for (const [{ domain, localPart }, alias] of this.#table.entries()) {
      this.expand(alias, new Mailbox(localPart, domain === '' ? scope.defaultDomain : domain));
    }
  }

  /** Returns the alias of a folded mailbox; undefined if the mailbox has no alias of its own. */
  get(mailbox: Mailbox): Alias | undefined {
    return this.#table.get(mailbox, this.#scope.isOwn(mailbox.domain));
  }

  /** Returns the alias of all unknown mailboxes of a domain. */
  catchAll(domain: string): Alias | undefined {
    return this.#table.ofDomain(domain);
  }

  /**
   * Returns the mailboxes of an alias, for a folded address of the alias.
   *
   * @throws AliasError for a loop, or more than 1,000 mailboxes.
   */
  expand(alias: Alias, address: Mailbox): readonly Mailbox[] {
    const key = expansionKey(alias, address);
    const known = this.#expansions.get(key);
    if (known !== undefined) return known;
    const collected: Collected = { mailboxes: new Map(), aliases: new Set() };
    this.#collect(alias, address, collected, []);
    const expansion = [...collected.mailboxes.values()];
    // With the domains `*`, a client can name any number of domains.
    if (this.#expansions.size >= MAX_EXPANSIONS) this.#expansions.clear();
    this.#expansions.set(key, expansion);
    return expansion;
  }

  #collect(alias: Alias, address: Mailbox, collected: Collected, path: readonly string[]): void {
    if (path.includes(alias.name)) throw new AliasError(alias.name, `a loop: ${[...path, alias.name].join(' > ')}`);
    if (path.length >= MAX_DEPTH) throw new AliasError(alias.name, `expected at most ${MAX_DEPTH} aliases in a row`);
    const { mailboxes, aliases } = collected;
    const key = expansionKey(alias, address);
    // Two paths to one alias are no loop: the first path is enough.
    if (aliases.has(key)) return;
    aliases.add(key);
    for (const target of alias.targets) {
      const { folded, written } = this.#withDomain(target, address);
      const next = isSame(folded, address) ? undefined : (this.get(folded) ?? this.#catchAllOf(folded));
      if (next !== undefined && !(next === alias && this.#accepts(folded))) {
        this.#collect(next, folded, collected, [...path, alias.name]);
        continue;
      }
      if (!this.#accepts(folded)) throw new AliasError(alias.name, `${written.toString()} is no recipient here`);
      mailboxes.set(folded.toString(), written);
      if (mailboxes.size > MAX_TARGETS) throw new AliasError(alias.name, `expected at most ${MAX_TARGETS} targets`);
    }
  }

  /** Returns undefined for a mailbox that exists. */
  #catchAllOf(mailbox: Mailbox): Alias | undefined {
    return this.#scope.accepts(mailbox) === false ? this.catchAll(mailbox.domain) : undefined;
  }

  #accepts(mailbox: Mailbox): boolean {
    return this.#scope.accepts(mailbox) !== false;
  }

  /**
   * Puts a name without a domain at the domain of its alias, or at the default domain if it exists
   * only there.
   */
  #withDomain(target: Target, address: Mailbox): Target {
    if (target.folded.domain !== '') return target;
    const atAddress = inDomain(target, address.domain);
    if (this.#exists(atAddress.folded, address)) return atAddress;
    const atDefault = inDomain(target, this.#scope.defaultDomain);
    return this.#exists(atDefault.folded, address) ? atDefault : atAddress;
  }

  #exists(mailbox: Mailbox, address: Mailbox): boolean {
    return this.#scope.accepts(mailbox) === true || (!isSame(mailbox, address) && this.get(mailbox) !== undefined);
  }
}

function parseTarget(name: string, target: string): Target {
  const written = parseMailbox(target) ?? parseName(target);
  if (written === undefined) {
    throw new AliasError(name, `expected addresses, not ${JSON.stringify(target)}: no command, file or include`);
  }
  return { written, folded: foldMailbox(written) };
}

/** Parses `ann`, a target without a domain. */
function parseName(text: string): Mailbox | undefined {
  const mailbox = parseMailbox(`${text}@example.com`);
  if (mailbox === undefined || /^[|/:\\]/.test(mailbox.localPart)) return undefined;
  return new Mailbox(mailbox.localPart, '');
}

function inDomain({ folded, written }: Target, domain: string): Target {
  return {
    folded: new Mailbox(folded.localPart, foldCase(domain)),
    written: new Mailbox(written.localPart, domain),
  };
}

function isSame(first: Mailbox, second: Mailbox): boolean {
  return first.localPart === second.localPart && first.domain === second.domain;
}

function expansionKey({ name }: Alias, { domain }: Mailbox): string {
  return `${name}\0${domain}`;
}

const MAX_TARGETS = 1_000;
const MAX_DEPTH = 100;
const MAX_EXPANSIONS = 10_000;
