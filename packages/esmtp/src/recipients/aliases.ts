import { Mailbox, parseMailbox } from '../protocol/address.ts';
import { foldCase, foldMailbox } from '../protocol/mailbox-identity.ts';
import { AliasError } from './alias-error.ts';
import { NameTable } from './name-table.ts';

/** An alias and its targets: `['sales', ['ann', 'bob@example.org']]`. */
export type AliasEntry = readonly [name: string, targets: readonly string[]];

/** What a table of aliases asks about the addresses that are no aliases. */
export interface AliasScope {
  /** The domain of a target that has none and is nobody at the domain of its alias. */
  readonly defaultDomain: string;
  /** True if names without a domain belong to this domain, too. */
  readonly isOwn: (domain: string) => boolean;
  /** Whether mail for a mailbox can be kept or sent on; undefined if only a question at run time can tell. */
  readonly takes: (mailbox: Mailbox) => boolean | undefined;
}

/** An alias as its table has it. */
export interface Alias {
  readonly name: string;
  readonly targets: readonly Target[];
}

/** A target, folded, and as it is written; the domain is empty where there is none. */
interface Target {
  readonly folded: Mailbox;
  readonly written: Mailbox;
}

/** What one expansion has found, and the aliases on its way. */
interface Collected {
  readonly mailboxes: Map<string, Mailbox>;
  readonly aliases: Set<string>;
}

/** Aliases, with an end to each: no loops, and at most 1,000 targets (as in Postfix). */
export class Aliases {
  readonly #table = new NameTable<Alias>();
  readonly #scope: AliasScope;
  /** What aliases of whole addresses lead to, and those of names at the domains that were asked for. */
  readonly #expansions = new Map<string, readonly Mailbox[]>();

  /** @throws AliasError for a name or a target that is none, for a name given twice, for a loop and for a target that is nobody. */
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

  /** Returns the alias of a folded mailbox; undefined if it has none of its own. */
  get(mailbox: Mailbox): Alias | undefined {
    return this.#table.get(mailbox, this.#scope.isOwn(mailbox.domain));
  }

  /** Returns the alias of all other mailboxes of the domain. */
  catchAll(domain: string): Alias | undefined {
    return this.#table.ofDomain(domain);
  }

  /** Returns the mailboxes that the alias leads to for this folded address. @throws AliasError for a loop, or more than 1,000. */
  expand(alias: Alias, address: Mailbox): readonly Mailbox[] {
    const key = `${alias.name}\0${address.domain}`;
    const known = this.#expansions.get(key);
    if (known !== undefined) return known;
    const collected: Collected = { mailboxes: new Map(), aliases: new Set() };
    this.#collect(alias, address, collected, []);
    const expansion = [...collected.mailboxes.values()];
    // With `*` anybody can name a domain.
    if (this.#expansions.size >= REMEMBERED) this.#expansions.clear();
    this.#expansions.set(key, expansion);
    return expansion;
  }

  #collect(alias: Alias, address: Mailbox, collected: Collected, path: readonly string[]): void {
    if (path.includes(alias.name)) throw new AliasError(alias.name, `a loop: ${[...path, alias.name].join(' > ')}`);
    if (path.length >= MAX_DEPTH) throw new AliasError(alias.name, `expected at most ${MAX_DEPTH} aliases in a row`);
    const { mailboxes, aliases } = collected;
    const key = `${alias.name}\0${address.domain}`;
    // Two ways to one alias are no loop, and one of them is enough.
    if (aliases.has(key)) return;
    aliases.add(key);
    for (const target of alias.targets) {
      const { folded, written } = this.#atDomain(target, address);
      const next = isSame(folded, address) ? undefined : (this.get(folded) ?? this.#catchAllOf(folded));
      if (next !== undefined && !(next === alias && this.#takes(folded))) {
        this.#collect(next, folded, collected, [...path, alias.name]);
        continue;
      }
      if (!this.#takes(folded)) throw new AliasError(alias.name, `${written.toString()} is no recipient here`);
      mailboxes.set(folded.toString(), written);
      if (mailboxes.size > MAX_TARGETS) throw new AliasError(alias.name, `expected at most ${MAX_TARGETS} targets`);
    }
  }

  /** A mailbox that is there needs none. */
  #catchAllOf(mailbox: Mailbox): Alias | undefined {
    return this.#scope.takes(mailbox) === false ? this.catchAll(mailbox.domain) : undefined;
  }

  #takes(mailbox: Mailbox): boolean {
    return this.#scope.takes(mailbox) !== false;
  }

  /** A name without a domain is somebody at the domain of its alias, or else at the default domain. */
  #atDomain(target: Target, address: Mailbox): Target {
    if (target.folded.domain !== '') return target;
    const here = inDomain(target, address.domain);
    if (this.#isSomebody(here.folded, address)) return here;
    const there = inDomain(target, this.#scope.defaultDomain);
    return this.#isSomebody(there.folded, address) ? there : here;
  }

  #isSomebody(mailbox: Mailbox, address: Mailbox): boolean {
    return this.#scope.takes(mailbox) === true || (!isSame(mailbox, address) && this.get(mailbox) !== undefined);
  }
}

function parseTarget(name: string, target: string): Target {
  const written = parseMailbox(target) ?? nameOnly(target);
  if (written === undefined) {
    throw new AliasError(name, `expected addresses, not ${JSON.stringify(target)}: no command, file or include`);
  }
  return { written, folded: foldMailbox(written) };
}

/** `ann`, where a domain is to follow. */
function nameOnly(text: string): Mailbox | undefined {
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

function isSame(one: Mailbox, other: Mailbox): boolean {
  return one.localPart === other.localPart && one.domain === other.domain;
}

const MAX_TARGETS = 1_000;
const MAX_DEPTH = 100;
const REMEMBERED = 10_000;
