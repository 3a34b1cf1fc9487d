import { Mailbox, parseMailbox } from '../protocol/address.ts';
import { foldMailbox } from '../protocol/mailbox-identity.ts';

/** Values by address (`ann@example.com`), by name (`ann`, at each domain of ours) and by domain (`@example.com`). */
export class NameTable<T> {
  readonly #addresses = new Map<string, T>();
  readonly #names = new Map<string, T>();
  readonly #domains = new Map<string, T>();

  /** Adds a value. Returns false for a key that cannot be, or is there already. */
  add(key: string, value: T): boolean {
    const mailbox = parseKey(key);
    if (mailbox === undefined) return false;
    const { localPart, domain } = mailbox;
    if (localPart === '') return addTo(this.#domains, domain, value);
    return domain === '' ? addTo(this.#names, localPart, value) : addTo(this.#addresses, keyOf(mailbox), value);
  }

  /** Returns what a folded mailbox has: by its address or, at a domain of ours, by its name. */
  get(mailbox: Mailbox, isOwn: boolean): T | undefined {
    const value = this.#addresses.get(keyOf(mailbox));
    return value === undefined && isOwn ? this.#names.get(mailbox.localPart) : value;
  }

  ofDomain(domain: string): T | undefined {
    return this.#domains.get(domain);
  }

  /** True if there are names, which need a domain. */
  get hasNames(): boolean {
    return this.#names.size > 0;
  }

  get size(): number {
    return this.#addresses.size + this.#names.size + this.#domains.size;
  }

  /** The keys, folded, and the values: a name has an empty domain, and a domain an empty local part. */
  *entries(): Generator<readonly [Mailbox, T]> {
    for (const [key, value] of this.#addresses) {
      const at = key.lastIndexOf('@');
      yield [new Mailbox(key.slice(0, at), key.slice(at + 1)), value];
    }
    for (const [name, value] of this.#names) yield [new Mailbox(name, ''), value];
    for (const [domain, value] of this.#domains) yield [new Mailbox('', domain), value];
  }
}

/** Returns the key as a folded mailbox; undefined if it is no address, name or `@domain`. */
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

/** No domain has an `@`, so that no two mailboxes have one key. */
function keyOf({ localPart, domain }: Mailbox): string {
  return `${localPart}@${domain}`;
}

function addTo<T>(map: Map<string, T>, key: string, value: T): boolean {
  if (map.has(key)) return false;
  map.set(key, value);
  return true;
}
