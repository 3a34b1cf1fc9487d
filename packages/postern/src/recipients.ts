import { readFile } from 'node:fs/promises';
import { ANONYMOUS, type MaybePromise, type UserDirectory } from '@postern/cred';
import {
  type AliasEntry,
  AliasError,
  type ForwardPath,
  KnownRecipientsDelivery,
  LocalRecipients,
  type Mailbox,
  type RecipientLookup,
  type RecipientResolver,
  type Resolution,
} from '@postern/esmtp';
import { parseAddressLines, parseNamedTargets } from './address-files.ts';
import { type DeliveryFactory, wrapDeliveries } from './delivery-target.ts';
import { UsageError } from './errors.ts';
import type { RecipientsSettings, TargetsSource } from './recipients-settings.ts';

/** The part of the server's settings that decides about recipients. */
export interface RecipientsContext {
  readonly hostname: string;
  readonly recipientDelimiter: string;
  /** True if the server stores mail and sends none on: then an alias has local targets only. */
  readonly isLocal: boolean;
}

/**
 * The local recipients, by files, lists, user databases and functions. `load()` reads the files
 * again.
 */
export class Recipients implements RecipientResolver {
  readonly #settings: RecipientsSettings;
  readonly #context: RecipientsContext;
  #current: LocalRecipients | undefined;
  #loads = 0;

  constructor(settings: RecipientsSettings, context: RecipientsContext) {
    this.#settings = settings;
    this.#context = context;
  }

  /** True if `load()` reads a file. */
  get hasFiles(): boolean {
    return hasFiles(this.#settings);
  }

  /**
   * False if no setting says that `postmaster` is read: neither an alias, nor a mailbox, nor a user
   * database.
   */
  get hasPostmaster(): boolean {
    const { users, lookup } = this.#settings;
    return users.length > 0 || lookup !== undefined || (this.#current?.hasPostmaster ?? false);
  }

  /** @throws Error before the first `load()`. */
  resolve(address: ForwardPath): MaybePromise<Resolution> {
    if (this.#current === undefined) throw new Error('the recipients have not been loaded');
    return this.#current.resolve(address);
  }

  /**
   * Reads the files. After an error the recipients of the last load stay in use.
   *
   * @throws UsageError that names the file and the line.
   */
  async load(): Promise<void> {
    this.#loads += 1;
    const load = this.#loads;
    const recipients = await this.#read();
    // A load that began later has read newer files.
    if (load === this.#loads) this.#current = recipients;
  }

  /**
   * Returns a factory whose deliveries accept known recipients only. Where mail is sent on,
   * logged-in users may also send to foreign domains; anonymous clients may not, or the server
   * would be an open relay.
   */
  guard(inner: DeliveryFactory): DeliveryFactory {
    const { isLocal } = this.#context;
    return wrapDeliveries(inner, (delivery, avatarId) => {
      const isAnonymous = avatarId === ANONYMOUS;
      return new KnownRecipientsDelivery(delivery, this, {
        allowForeign: !isLocal && !isAnonymous,
        allowRoutes: isLocal || !isAnonymous,
      });
    });
  }

  async #read(): Promise<LocalRecipients> {
    const { mailboxes, files, domains, aliases } = this.#settings;
    const lines = await Promise.all(
      files.map(async (file) => parseAddressLines(await readText(file, '--recipients'), file)),
    );
    const { entries, placeOf } = await readTargets(aliases, '--aliases');
    const lookup = lookupOf(this.#settings, this.#context);
    const { hostname, recipientDelimiter, isLocal } = this.#context;
    try {
      return new LocalRecipients({
        hostname,
        recipientDelimiter,
        allowForeignTargets: !isLocal,
        aliases: entries,
        ...((mailboxes !== undefined || files.length > 0) && { mailboxes: [...(mailboxes ?? []), ...lines.flat()] }),
        ...(domains !== undefined && { domains }),
        ...(lookup !== undefined && { lookup }),
      });
    } catch (error) {
      if (!(error instanceof AliasError)) throw error;
      throw new UsageError(`${placeOf(error.alias)}: ${error.message}`, { cause: error });
    }
  }
}

/** Returns true if a file lists recipients or aliases. */
export function hasFiles({ files, aliases }: RecipientsSettings): boolean {
  return files.length > 0 || (aliases !== undefined && 'file' in aliases);
}

/**
 * Returns the names and targets of a file or a table. `placeOf` returns the place of a name for an
 * error.
 *
 * @throws UsageError
 */
export async function readTargets(
  source: TargetsSource | undefined,
  option: string,
): Promise<{ readonly entries: readonly AliasEntry[]; readonly placeOf: (name: string) => string }> {
  if (source === undefined) return { entries: [], placeOf: () => option };
  if ('entries' in source) return { entries: source.entries, placeOf: () => option };
  return parseNamedTargets(await readText(source.file, option), source.file);
}

/** A user's mailbox is the user name, if it is an address, or the user name at a local domain. */
function lookupOf(
  { users, lookup, domains }: RecipientsSettings,
  context: RecipientsContext,
): RecipientLookup | undefined {
  if (users.length === 0) return lookup;
  const own = domains === '*' ? '*' : new Set((domains ?? [context.hostname]).map((domain) => domain.toLowerCase()));
  return async (mailbox) => {
    for (const directory of users) {
      if (await hasMailbox(directory, mailbox, own === '*' || own.has(mailbox.domain))) return true;
    }
    return false;
  };
}

async function hasMailbox(directory: UserDirectory, mailbox: Mailbox, isOwn: boolean): Promise<boolean> {
  return (await directory.hasUser(mailbox.toString())) || (isOwn && (await directory.hasUser(mailbox.localPart)));
}

async function readText(file: string, option: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${option}: ${file}: expected a readable file: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
