import { after, type MaybePromise } from '@postern/core';
import { ANONYMOUS, type AvatarId } from '@postern/cred';
import { OwnSenderDelivery, parseMailbox } from '@postern/esmtp';
import type { DeliveryFactory } from './delivery-target.ts';
import { disposeOf } from './dispose-of.ts';
import { readTargets } from './recipients.ts';
import type { OwnSendersSettings } from './recipients-settings.ts';
import { UsageError } from './usage-error.ts';

/** What the senders of a server have to do with the rest of it. */
export interface OwnSendersContext {
  /** The domains at which a user without one has an address. */
  readonly domains: readonly string[];
  readonly recipientDelimiter: string;
}

/** The addresses that each user may send from. SIGHUP reads the file again. */
export class OwnSenders {
  readonly #settings: OwnSendersSettings;
  readonly #context: OwnSendersContext;
  #table: ReadonlyMap<string, readonly string[]> = new Map();
  #loads = 0;

  constructor(settings: OwnSendersSettings, context: OwnSendersContext) {
    this.#settings = settings;
    this.#context = context;
  }

  /** True if there is a file to be read again. */
  get hasFile(): boolean {
    return this.#settings.kind === 'table' && 'file' in this.#settings.source;
  }

  /** Reads the file, if there is one. Rejects with a UsageError that names file and line; what was read before stays in use then. */
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
      table.set(foldName(user), [...(table.get(foldName(user)) ?? []), ...addresses]);
    }
    // A load that began later has read what is newer.
    if (load === this.#loads) this.#table = table;
  }

  /** Returns what a user may send from: addresses, and domains as `@example.com`. */
  addressesOf(avatarId: AvatarId): MaybePromise<readonly string[] | undefined> {
    if (avatarId === ANONYMOUS) return undefined;
    switch (this.#settings.kind) {
      case 'users':
        return parseMailbox(avatarId) === undefined
          ? this.#context.domains.map((domain) => `${avatarId}@${domain}`).filter(isSender)
          : [avatarId];
      case 'table':
        return this.#table.get(foldName(avatarId));
      case 'lookup':
        return after(this.#settings.lookup(avatarId), (found) => (typeof found === 'string' ? [found] : (found ?? [])));
    }
  }

  /** Returns a destination through which each user sends as itself. A client that has not logged in has no sender of its own. */
  guard(destination: DeliveryFactory): DeliveryFactory {
    const { recipientDelimiter } = this.#context;
    const addresses = (avatarId: AvatarId) => this.addressesOf(avatarId);
    const factory: DeliveryFactory = (avatarId, mind) =>
      after(destination(avatarId, mind), (delivery) =>
        avatarId === ANONYMOUS
          ? delivery
          : new OwnSenderDelivery(delivery, { avatarId, addresses, recipientDelimiter }),
      );
    return Object.assign(factory, {
      isLocal: destination.isLocal ?? false,
      prepare: async () => await destination.prepare?.(),
      [Symbol.asyncDispose]: () => disposeOf(destination),
    });
  }
}

function isSender(address: string): boolean {
  return parseMailbox(address.startsWith('@') ? `x${address}` : address) !== undefined;
}

function foldName(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
