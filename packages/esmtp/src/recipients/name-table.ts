import { Mailbox, parseMailbox } from '../protocol/address.ts';
import { foldMailbox } from '../protocol/mailbox-identity.ts';

/**
 * Values by address (`ann@example.com`), by name (`ann`, at each domain of this server) and by
 * domain (`@example.com`).
 */
export class NameTable<T> {
  readonly #addresses = new Map<string, T>();
  readonly #names = new Map<string, T>();
  readonly #domains = new Map<string, T>();

  /** Adds a value. Returns false for an invalid key, and for a key that the table has already. */
  add(key: string, value: T): boolean {
    const mailbox = parseKey(key);
    if (mailbox === undefined) return false;
    const { localPart, domain } = mailbox;
    if (localPart === '') return addTo(this.#domains, domain, value);
    return domain === '' ? addTo(this.#names, localPart, value) : addTo(this.#addresses, addressKey(mailbox), value);
  }

  /** Returns the value of a folded mailbox: by its address or, if `isOwn`, by its name. */
  get(mailbox: Mailbox, isOwn: boolean): T | undefined {
    const value = this.#addresses.get(addressKey(mailbox));
    return value === undefined && isOwn ? this.#names.get(mailbox.localPart) : value;
  }

  /** Returns the value of `@domain`. */
  ofDomain(domain: string): T | undefined {
    return this.#domains.get(domain);
  }

  /** True if a key is a name, which needs a domain to become an address. */
  get hasNames(): boolean {
    return this.#names.size > 0;
  }

  get size(): number {
    return this.#addresses.size + this.#names.size + this.#domains.size;
  }

  /**
   * Returns the keys in lower case, with their values: a name has an empty domain, a domain an
   * empty local part.
   */
  *entries(): Generator<readonly [Mailbox, T]> {
    for (const [key, value] of this.#addresses) {
      const at = key.lastIndexOf('@');
      yield [new Mailbox(key.slice(0, at), key.slice(at + 1)), value];
    }
    for (const [name, value] of this.#names) yield [new Mailbox(name, ''), value];
    for (const [domain, value] of this.#domains) yield [new Mailbox('', domain), value];
  }
}

/**
 * Returns the key as a folded mailbox; undefined for a text that is not an address, a name or
 * `@domain`.
 */
export function parseKey(key: string): Mailbox | undefined {
  if (key.startsWith('@')) {
    const domain = parseMailbox(`x${key}`)?.domain;
    return domain === undefined ? undefined : foldMailbox(new Mailbox('', domain));
  }
  const mailbox = parseMailbox(key);
  if (mailbox !== undefined) return foldMailbox(mailbox);
  const name = parseMailbox(`${key}@example.com`)?.localPart;
  return name === undefined || name === '' ? undefined : foldMailbox(new Mailbox(name, ''));
}

/** A domain has no `@`: two mailboxes never have the same key. */
function addressKey({ localPart, domain }: Mailbox): string {
  return `${localPart}@${domain}`;
}

function addTo<T>(map: Map<string, T>, key: string, value: T): boolean {
  if (map.has(key)) return false;
  map.set(key, value);
  return true;
}
