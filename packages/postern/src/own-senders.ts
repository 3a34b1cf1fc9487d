import { after, type MaybePromise } from '@postern/core';
import { ANONYMOUS, type AvatarId } from '@postern/cred';
import { OwnSenderDelivery, parseMailbox } from '@postern/esmtp';
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
    if (load === this.#loads) this.#table = table;
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

function isSender(address: string): boolean {
  return parseMailbox(address.startsWith('@') ? `x${address}` : address) !== undefined;
}

/** Folds ASCII letters only. */
function foldCase(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
