import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { AvatarId, Mind } from '@postern/cred';
import type { MaildirDelivery, MaildirOptions, Quota } from '@postern/maildir';
import { DeliveryTarget, type DeliveryTargetContext } from './delivery-target.ts';
import { cannotStore, UsageError } from './errors.ts';
import { MailboxSource } from './mailbox-source.ts';
import { expectKnownNames } from './option-values.ts';

/** The folder of the Maildirs, their quota and permissions. */
export interface MaildirTargetOptions extends Pick<MaildirOptions, 'caseSensitive' | 'recipientDelimiter' | 'mode'> {
  /** The folder of the Maildirs. Each recipient has one: `folder/ann@example.com/new`. */
  readonly folder: string;
  /**
   * The number of octets that a mailbox may hold: one number, or a function of the mailbox.
   * Default: no limit.
   */
  readonly quota?: Quota;
  /**
   * The group of new files and folders: its numeric id, or its name in /etc/group. Default: the
   * group of the process.
   */
  readonly group?: number | string;
}

/**
 * Stores messages in Maildirs, which POP3 reads: for `deliver` and `mailboxes` in the config file.
 *
 * @example
 * ```ts
 * import { defineConfig, maildir } from 'postern';
 *
 * export default defineConfig({
 *   listen: ['smtp://0.0.0.0:25?service=mx'],
 *   recipients: ['ann@example.com', 'bob@example.com'],
 *   deliver: maildir({ folder: '/var/mail/postern', quota: 2 ** 30 }),
 * });
 * ```
 *
 * @throws UsageError for an option that is unknown or cannot work.
 */
export function maildir(target: MaildirTargetOptions): DeliveryTarget {
  expectKnownNames('maildir', target, OPTION_NAMES);
  const { folder, group, ...options } = target;
  if (typeof folder !== 'string' || folder === '') throw new UsageError('maildir: expected a folder');
  const id = group === undefined ? undefined : groupId(group);
  const optionsFor = (recipientDelimiter: string | undefined) => ({
    ...(recipientDelimiter !== undefined && { recipientDelimiter }),
    ...options,
    ...(id !== undefined && { group: id }),
  });
  const open = async ({ log, recipientDelimiter }: Pick<DeliveryTargetContext, 'log' | 'recipientDelimiter'>) => {
    const delivery = await deliveryInto(folder, {
      onError: (error, mailbox) => log.error('a message was not stored', { recipient: mailbox?.toString(), error }),
      ...optionsFor(recipientDelimiter),
    });
    const prepare = async () => {
      try {
        await delivery.prepare();
      } catch (error) {
        throw cannotStore(resolve(folder), error);
      }
    };
    return Object.assign(() => delivery, { isLocal: true, prepare });
  };
  const mailboxes = new MailboxSource(async (context) => {
    const { MaildirMailboxes } = await import('@postern/maildir');
    const { prepare } = await open(context);
    const { log, recipientDelimiter, addressOf } = context;
    const opened = new MaildirMailboxes(folder, {
      onError: (error, mailbox) => log.error('a mailbox has a fault', { mailbox: mailbox?.toString(), error }),
      ...optionsFor(recipientDelimiter),
    });
    return Object.assign((avatarId: AvatarId, mind: Mind) => opened.open(addressOf(avatarId), mind), { prepare });
  });
  return new DeliveryTarget(open, mailboxes);
}

/**
 * Parses the text after `maildir:`, such as `DIR?mode=660&group=vmail&caseSensitive=yes`.
 *
 * @throws UsageError
 */
export function parseMaildir(rest: string): DeliveryTarget {
  const [folder = '', query] = rest.split(/\?(?=[^?]*$)/);
  if (folder === '') throw new UsageError('expected maildir:DIR, with a folder');
  const parameters = new URLSearchParams(query);
  const [mode, group, caseSensitive] = ['mode', 'group', 'caseSensitive'].map((name) => {
    const value = parameters.get(name);
    parameters.delete(name);
    return value ?? undefined;
  });
  const [unknown] = parameters.keys();
  if (unknown !== undefined) {
    throw new UsageError(
      `expected mode, group or caseSensitive after the ? of maildir:DIR, not ${JSON.stringify(unknown)}`,
    );
  }
  if (mode !== undefined && !/^0?[0-7]{3}$/.test(mode)) throw new UsageError('expected mode=660 or another octal mode');
  if (caseSensitive !== undefined && caseSensitive !== 'yes' && caseSensitive !== 'no') {
    throw new UsageError('expected caseSensitive=yes or caseSensitive=no');
  }
  return maildir({
    folder,
    ...(mode !== undefined && { mode: Number.parseInt(mode, 8) }),
    ...(group !== undefined && { group }),
    ...(caseSensitive !== undefined && { caseSensitive: caseSensitive === 'yes' }),
  });
}

async function deliveryInto(folder: string, options: MaildirOptions): Promise<MaildirDelivery> {
  // Only a server that stores messages loads the package.
  const { MaildirDelivery } = await import('@postern/maildir');
  try {
    return new MaildirDelivery(folder, options);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`maildir: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Node has no function that looks up a group: /etc/group lists those of this machine. */
function groupId(group: number | string): number {
  if (typeof group === 'number') return group;
  if (/^\d+$/.test(group)) return Number(group);
  const line = groups().find((entry) => entry.startsWith(`${group}:`));
  const id = line?.split(':')[2];
  if (id === undefined || !/^\d+$/.test(id)) {
    throw new UsageError(`maildir: group: expected a group of /etc/group, or its number, not ${JSON.stringify(group)}`);
  }
  return Number(id);
}

function groups(): readonly string[] {
  try {
    return readFileSync('/etc/group', 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** The type requires every option. */
const OPTION_NAMES: Readonly<Record<keyof MaildirTargetOptions, true>> = {
  folder: true,
  quota: true,
  caseSensitive: true,
  recipientDelimiter: true,
  mode: true,
  group: true,
};
