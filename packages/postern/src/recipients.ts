import { readFile } from 'node:fs/promises';
import type { MaybePromise, UserDirectory } from '@postern/cred';
import {
  type AliasEntry,
  AliasError,
  type ForwardPath,
  LocalRecipients,
  type Mailbox,
  type RecipientLookup,
  type RecipientResolver,
  type Resolution,
} from '@postern/esmtp';
import { parseAddressLines, parseNamedTargets } from './address-files.ts';
import type { RecipientsSettings, TargetsSource } from './recipients-settings.ts';
import { UsageError } from './usage-error.ts';

/** What the recipients of a server have to do with the rest of it. */
export interface RecipientsContext {
  readonly hostname: string;
  readonly recipientDelimiter: string;
  /** True where all mail ends here: then an alias leads to nobody else. */
  readonly isLocal: boolean;
}

/** Who lives here, as files, lists, user databases and functions say. SIGHUP reads the files again. */
export class Recipients implements RecipientResolver {
  readonly #settings: RecipientsSettings;
  readonly #context: RecipientsContext;
  #current: LocalRecipients | undefined;
  #loads = 0;

  constructor(settings: RecipientsSettings, context: RecipientsContext) {
    this.#settings = settings;
    this.#context = context;
  }

  /** True if there are files to be read again. */
  get hasFiles(): boolean {
    return hasFiles(this.#settings);
  }

  /** False if mail for the postmaster goes to a mailbox of which nobody here has said that it is read. */
  get hasPostmaster(): boolean {
    const { users, lookup } = this.#settings;
    return users.length > 0 || lookup !== undefined || (this.#current?.hasPostmaster ?? false);
  }

  resolve(address: ForwardPath): MaybePromise<Resolution> {
    if (this.#current === undefined) throw new Error('the recipients have not been read');
    return this.#current.resolve(address);
  }

  /** Reads the files. Rejects with a UsageError that names file and line; what was read before stays in use then. */
  async load(): Promise<void> {
    this.#loads += 1;
    const load = this.#loads;
    const recipients = await this.#read();
    // A load that began later has read what is newer.
    if (load === this.#loads) this.#current = recipients;
  }

  async #read(): Promise<LocalRecipients> {
    const { mailboxes, files, domains, aliases } = this.#settings;
    const lines = await Promise.all(
      files.map(async (file) => parseAddressLines(await read(file, '--recipients'), file)),
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

/** True if files say who lives here. */
export function hasFiles({ files, aliases }: RecipientsSettings): boolean {
  return files.length > 0 || (aliases !== undefined && 'file' in aliases);
}

/** Returns the names and targets of a file or a table. Rejects with a UsageError. */
export async function readTargets(
  source: TargetsSource | undefined,
  option: string,
): Promise<{ readonly entries: readonly AliasEntry[]; readonly placeOf: (name: string) => string }> {
  if (source === undefined) return { entries: [], placeOf: () => option };
  if ('entries' in source) return { entries: source.entries, placeOf: () => option };
  return parseNamedTargets(await read(source.file, option), source.file);
}

/** A user is known by an address, or by a name at a domain that is ours. */
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

async function read(file: string, option: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${option}: ${file}: expected a file that can be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
