import { domainToASCII } from 'node:url';
import { after } from '@postern/core';
import { type Interface, isDerived, type MaybePromise, type PasswordProof } from '@postern/cred';
import { canonicalName } from './canonical-name.ts';
import { UnknownUser } from './errors.ts';
import type { UserRecord } from './user-record.ts';
import { interfacesOfStore, isUpdatable, type UserStore } from './user-store.ts';

/** The optional parameters of {@link byDomain}. */
export interface ByDomainOptions {
  /**
   * True asks the stores of domains for the part of the name before the last `@`: `joe` for
   * `joe@a.example`. The name of the found user gets the domain back, so that `joe` of two domains
   * is two users. Default: false, the whole name.
   */
  readonly stripDomain?: boolean;
}

/**
 * Returns a store that asks one store for each user: the store of the domain after the last `@` of
 * the name. The store `default` serves all other names. Without it, such a name is unknown. A
 * `CascadingChecker` asks all stores instead.
 *
 * Domains are compared without regard to case, and A-labels equal U-labels:
 * `joe@xn--mller-kva.example` and `joe@müller.example` ask one store. That store receives the name
 * as the client sent it. With `stripDomain` both names are the user `joe` of the domain as it is
 * written in `stores`.
 *
 * The result offers a class of credentials only if each of the stores does. It has the SCRAM key of
 * the first store with one.
 *
 * @throws TypeError if a name in `stores` is no domain, or is there twice.
 *
 * @example
 * ```ts
 * import { byDomain, type UserStore } from '@postern/users';
 *
 * declare const customers: UserStore;
 * declare const staff: UserStore;
 *
 * const users = byDomain({ 'a.example': customers, 'b.example': customers, default: staff });
 * ```
 */
export function byDomain(stores: Readonly<Record<string, UserStore>>, options: ByDomainOptions = {}): UserStore {
  return new DomainStore(stores, options.stripDomain ?? false);
}

/** A store, and the domain that it does not see; undefined if it sees the whole name. */
interface Route {
  readonly store: UserStore;
  readonly strippedDomain?: string;
}

/** The store of one user, and the user's name in that store. */
interface Target extends Route {
  readonly name: string;
}

class DomainStore implements UserStore {
  /** The routes by canonical domains. */
  readonly #routes = new Map<string, Route>();
  readonly #default: Route | undefined;
  readonly #interfaces: SharedInterfaces;
  readonly #scramKey: Uint8Array | undefined;
  readonly update?: NonNullable<UserStore['update']>;
  readonly list?: List;

  constructor(stores: Readonly<Record<string, UserStore>>, stripDomain: boolean) {
    for (const [domain, store] of Object.entries(stores)) {
      if (domain === 'default') this.#default = { store };
      else this.#add(domain, stripDomain ? { store, strippedDomain: domain } : { store });
    }
    const all = Object.values(stores);
    this.#interfaces = new SharedInterfaces(all);
    this.#scramKey = all.find(({ scramKey }) => scramKey !== undefined)?.scramKey;
    if (all.some(({ update }) => update !== undefined)) this.update = this.#update;
    const routes = [...this.#routes.values(), ...(this.#default === undefined ? [] : [this.#default])];
    const lists = routes.flatMap((route) => listOf(route) ?? []);
    if (lists.length > 0) this.list = () => inTurns(lists);
  }

  get credentialInterfaces(): readonly Interface<PasswordProof>[] {
    return this.#interfaces.current;
  }

  get scramKey(): Uint8Array | undefined {
    return this.#scramKey;
  }

  find(name: string, signal: AbortSignal): MaybePromise<UserRecord | undefined> {
    const target = this.#targetOf(name);
    const found = target?.store.find(target.name, signal);
    const domain = target?.strippedDomain;
    return domain === undefined ? found : after(found, (user) => user && withDomain(user, domain));
  }

  readonly canUpdate = (name: string): boolean => {
    const target = this.#targetOf(name);
    return target !== undefined && isUpdatable(target.store, target.name);
  };

  readonly #update: NonNullable<UserStore['update']> = (name, change) => {
    const target = this.#targetOf(name);
    if (target === undefined) throw new UnknownUser(name);
    const { store, strippedDomain: domain } = target;
    if (store.update === undefined) throw new Error('the user store of this domain is read-only');
    if (domain === undefined) return store.update(target.name, change);
    return store.update(target.name, (user) => {
      const changed = change(withDomain(user, domain));
      return changed && { ...changed, name: user.name };
    });
  };

  #add(domain: string, route: Route): void {
    const canonical = canonicalDomain(domain);
    if (canonical === undefined) throw new TypeError(`${JSON.stringify(domain)} is not a domain; expected a.example`);
    if (this.#routes.has(canonical)) throw new TypeError(`the domain ${domain} is there twice; expected one store`);
    this.#routes.set(canonical, route);
  }

  #targetOf(name: string): Target | undefined {
    const canonical = canonicalName(name);
    if (canonical === undefined) return undefined;
    const separator = canonical.lastIndexOf('@');
    const domain = separator < 0 ? undefined : canonicalDomain(canonical.slice(separator + 1));
    const route = (domain === undefined ? undefined : this.#routes.get(domain)) ?? this.#default;
    if (route === undefined) return undefined;
    // The name as sent may have another form of "@", such as U+FF20.
    return { ...route, name: route.strippedDomain === undefined ? name : canonical.slice(0, separator) };
  }
}

/** Returns a function that lists the users of a store, under their whole names. */
function listOf({ store, strippedDomain }: Route): List | undefined {
  const list = store.list?.bind(store);
  if (list === undefined) return undefined;
  if (strippedDomain === undefined) return list;
  return async function* () {
    for await (const user of list()) yield withDomain(user, strippedDomain);
  };
}

/** Takes one user of each list in turn: the beginning shows the users of all stores. */
async function* inTurns(lists: readonly List[]): AsyncGenerator<UserRecord, void> {
  const iterators = new Set(lists.map((list) => list()[Symbol.asyncIterator]()));
  try {
    while (iterators.size > 0) {
      for (const iterator of iterators) {
        const { done, value } = await iterator.next();
        if (done === true) iterators.delete(iterator);
        else yield value;
      }
    }
  } finally {
    for (const iterator of iterators) await iterator.return?.();
  }
}

/** The classes of credentials that each of several stores serves. */
class SharedInterfaces {
  readonly #stores: readonly UserStore[];
  #lists: readonly InterfaceList[] = [];
  #shared: InterfaceList = [];

  constructor(stores: readonly UserStore[]) {
    this.#stores = stores;
  }

  /** The same array while the lists of the stores are the same. */
  get current(): InterfaceList {
    const lists = this.#stores.map(interfacesOfStore);
    if (lists.length !== this.#lists.length || lists.some((list, index) => list !== this.#lists[index])) {
      this.#lists = lists;
      this.#shared = Object.freeze(sharedBy(lists));
    }
    return this.#shared;
  }
}

type List = NonNullable<UserStore['list']>;
type InterfaceList = readonly Interface<PasswordProof>[];

/** Returns the classes that each list covers, by the class itself or by a base class. */
function sharedBy(lists: readonly InterfaceList[]): Interface<PasswordProof>[] {
  const shared = [...new Set(lists.flat())].filter((proof) =>
    lists.every((list) => list.some((base) => isDerived(proof, base))),
  );
  return shared.filter((proof) => !shared.some((base) => base !== proof && isDerived(proof, base)));
}

/**
 * Returns a domain in lower case and with A-labels (RFC 5890 §2.3.2.1), or undefined for a text
 * that is no domain.
 */
function canonicalDomain(domain: string): string | undefined {
  const lower = domain.toLowerCase();
  if (DOMAIN.test(lower)) return lower;
  // Only text beyond ASCII: `domainToASCII` also decodes URLs, such as "%2e" and "0x7f.1".
  const ascii = UNICODE_DOMAIN.test(lower) ? domainToASCII(lower) : '';
  return DOMAIN.test(ascii) ? ascii : undefined;
}

function withDomain(user: UserRecord, domain: string): UserRecord {
  return { ...user, name: `${user.name}@${domain}` };
}

const DOMAIN = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;
const UNICODE_DOMAIN = /^[\p{L}\p{M}\p{N}_.-]+$/u;
