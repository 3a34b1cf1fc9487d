import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { MaildirDelivery, type MaildirOptions, type Quota } from '@postern/maildir';
import { DeliveryTarget } from './delivery-target.ts';
import { unknownName } from './shape.ts';
import { cannotStore } from './start-error.ts';
import { UsageError } from './usage-error.ts';

/** Where Maildirs are, which ones there are, how much each may hold, and who may read them. */
export interface MaildirTarget extends Pick<MaildirOptions, 'caseSensitive' | 'recipientDelimiter' | 'mode'> {
  /** With a Maildir for each recipient below it: `folder/ann@example.com/new`. */
  readonly folder: string;
  /** How many octets a mailbox may hold, for all or by mailbox. Default: no limit. */
  readonly quota?: Quota;
  /** The group of new files and folders: its numeric id, or its name in /etc/group. Default: the process's own. */
  readonly group?: number | string;
}

/** Keeps messages in Maildirs, for `deliver` in the config file. Throws a UsageError. */
export function maildir(place: MaildirTarget): DeliveryTarget {
  const { folder, group, ...options } = place;
  const unknown = unknownName(place, PROPERTIES);
  if (unknown !== undefined) {
    throw new UsageError(`maildir: expected ${Object.keys(PROPERTIES).join(', ')}, not ${JSON.stringify(unknown)}`);
  }
  if (typeof folder !== 'string' || folder === '') throw new UsageError('maildir: expected a folder');
  const id = group === undefined ? undefined : groupId(group);
  return new DeliveryTarget(({ log, recipientDelimiter }) => {
    const delivery = deliveryInto(folder, {
      onError: (error, mailbox) => log.error('a message was not stored', { recipient: mailbox?.toString(), error }),
      ...(recipientDelimiter !== undefined && { recipientDelimiter }),
      ...options,
      ...(id !== undefined && { group: id }),
    });
    const explain = (error: unknown): never => {
      throw cannotStore(resolve(folder), error);
    };
    return Object.assign(() => delivery, { isLocal: true, prepare: () => delivery.prepare().catch(explain) });
  });
}

/** Parses what follows `maildir:`, `DIR?mode=660&group=vmail&caseSensitive=yes`. Throws a UsageError. */
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

function deliveryInto(folder: string, options: MaildirOptions): MaildirDelivery {
  try {
    return new MaildirDelivery(folder, options);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`maildir: ${error.message}`, { cause: error });
    throw error;
  }
}

/** Node looks up no groups: those of this machine stand in a file. */
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

const PROPERTIES: Record<keyof MaildirTarget, true> = {
  folder: true,
  quota: true,
  caseSensitive: true,
  recipientDelimiter: true,
  mode: true,
  group: true,
};
