import { after, type MaybePromise } from '@postern/core';
import { ANONYMOUS, type AvatarId, type UserDirectory } from '@postern/cred';
import {
  foldMailbox,
  type Mailbox,
  OwnSenderDelivery,
  ownsSender,
  parseMailbox,
  withoutSubaddress,
} from '@postern/esmtp';
import { type DeliveryFactory, wrapDeliveries } from './delivery-target.ts';
import { UsageError } from './errors.ts';
import { readTargets } from './recipients.ts';
import type { OwnSendersSettings } from './recipients-settings.ts';

/** The part of the server's settings that decides about senders. */
export interface OwnSendersContext {
  /** The domains at which a user name without a domain is an address. */
  readonly domains: readonly string[];
  readonly recipientDelimiter: string;
}

/** The addresses that each user may send from. `load()` reads the file again. */
export class OwnSenders {
  readonly #settings: OwnSendersSettings;
  readonly #context: OwnSendersContext;
  #table: ReadonlyMap<string, readonly string[]> = new Map();
  /** The users of each address and each `@domain` of the table, in lower case. */
  #owners: ReadonlyMap<string, readonly string[]> = new Map();
  #loads = 0;

  constructor(settings: OwnSendersSettings, context: OwnSendersContext) {
    this.#settings = settings;
    this.#context = context;
  }

  /** True if `load()` reads a file. */
  get hasFile(): boolean {
    return this.#settings.kind === 'table' && 'file' in this.#settings.source;
  }

  /**
   * Reads the file, if there is one. After an error the table of the last load stays in use.
   *
   * @throws UsageError that names the file and the line.
   */
  async load(): Promise<void> {
    if (this.#settings.kind !== 'table') return;
    this.#loads += 1;
    const load = this.#loads;
    const { entries, placeOf } = await readTargets(this.#settings.source, '--own-senders');
    const table = new Map<string, readonly string[]>();
    for (const [user, addresses] of entries) {
      const wrong = addresses.find((address) => !isSender(address));
      if (wrong !== undefined) {
        throw new UsageError(`${placeOf(user)}: expected addresses or @domain, not ${JSON.stringify(wrong)}`);
      }
      table.set(foldCase(user), [...(table.get(foldCase(user)) ?? []), ...addresses]);
    }
    // A load that began later has read a newer file.
    if (load !== this.#loads) return;
    this.#table = table;
    this.#owners = ownersIn(table);
  }

  /**
   * Returns the addresses and domains (`@example.com`) that a user may send from. Undefined for an
   * anonymous client, and for a user without an entry.
   */
  addressesOf(avatarId: AvatarId): MaybePromise<readonly string[] | undefined> {
    if (avatarId === ANONYMOUS) return undefined;
    switch (this.#settings.kind) {
      case 'users':
        return parseMailbox(avatarId) === undefined
          ? this.#context.domains.map((domain) => `${avatarId}@${domain}`).filter(isSender)
          : [avatarId];
      case 'table':
        return this.#table.get(foldCase(avatarId));
      case 'lookup':
        return after(this.#settings.lookup(avatarId), (addresses) =>
          typeof addresses === 'string' ? [addresses] : (addresses ?? []),
        );
    }
  }

  /** Returns true if the user may send from this address. */
  mayUse(avatarId: AvatarId, sender: Mailbox): MaybePromise<boolean> {
    const { recipientDelimiter } = this.#context;
    return after(this.addressesOf(avatarId), (addresses = []) => ownsSender(addresses, sender, recipientDelimiter));
  }

  /**
   * Returns the users that may send from this address. With the setting `users`, an address belongs
   * to the users of the directories. Without a directory, only addresses at own domains have
   * owners.
   *
   * @throws UsageError where a function returns each user's addresses: no function returns the
   * users of an address.
   */
  ownersOf(sender: Mailbox, directories: readonly UserDirectory[]): MaybePromise<readonly string[]> {
    const exact = foldMailbox(sender);
    const untagged = withoutSubaddress(exact, this.#context.recipientDelimiter);
    const mailboxes = untagged === exact ? [exact] : [exact, untagged];
    switch (this.#settings.kind) {
      case 'users':
        return this.#existing(mailboxes, directories);
      case 'table': {
        const keys = [...mailboxes.map(String), `@${exact.domain}`];
        return [...new Set(keys.flatMap((key) => this.#owners.get(key) ?? []))];
      }
      case 'lookup':
        throw new UsageError(
          'ownSenders: expected users or a table, because a function does not return the users of an address',
        );
    }
  }

  /** Returns the users that may send from each address of the domain. */
  ownersOfDomain(domain: string): readonly string[] {
    return this.#owners.get(`@${foldCase(domain)}`) ?? [];
  }

  #existing(mailboxes: readonly Mailbox[], directories: readonly UserDirectory[]): MaybePromise<readonly string[]> {
    const own = new Set(this.#context.domains.map(foldCase));
    const names = mailboxes.flatMap((mailbox) =>
      own.has(mailbox.domain) ? [mailbox.toString(), mailbox.localPart] : [mailbox.toString()],
    );
    if (directories.length === 0) return mailboxes.some(({ domain }) => own.has(domain)) ? names : [];
    return existingUsers(names, directories);
  }

  /**
   * Returns a factory whose deliveries accept a user's own senders only. An anonymous client has no
   * own sender.
   */
  guard(inner: DeliveryFactory): DeliveryFactory {
    const { recipientDelimiter } = this.#context;
    const addresses = (avatarId: AvatarId) => this.addressesOf(avatarId);
    return wrapDeliveries(inner, (delivery, avatarId) =>
      avatarId === ANONYMOUS ? delivery : new OwnSenderDelivery(delivery, { avatarId, addresses, recipientDelimiter }),
    );
  }
}

async function existingUsers(
  names: readonly string[],
  directories: readonly UserDirectory[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) {
    for (const directory of directories) {
      if (!(await directory.hasUser(name))) continue;
      found.push(name);
      break;
    }
  }
  return found;
}

function ownersIn(table: ReadonlyMap<string, readonly string[]>): ReadonlyMap<string, readonly string[]> {
  const owners = new Map<string, string[]>();
  for (const [user, addresses] of table) {
    for (const address of addresses) {
      const mailbox = parseMailbox(address);
      const key = mailbox === undefined ? foldCase(address) : foldMailbox(mailbox).toString();
      const users = owners.get(key);
      if (users === undefined) owners.set(key, [user]);
      else users.push(user);
    }
  }
  return owners;
}

function isSender(address: string): boolean {
  return parseMailbox(address.startsWith('@') ? `x${address}` : address) !== undefined;
}

/** Folds ASCII letters only. */
function foldCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
