import { resolve } from 'node:path';
import { MaildirDelivery, type MaildirOptions, type Quota } from '@postern/maildir';
import { Place } from './place.ts';
import { unknownName } from './shape.ts';
import { cannotStore } from './start-error.ts';
import { UsageError } from './usage-error.ts';

/** Where Maildirs are, and how much each may hold. */
export interface MaildirPlace {
  /** With a Maildir for each recipient below it: `folder/ann@example.com/new`. */
  readonly folder: string;
  /** How many octets a mailbox may hold, for all or by mailbox. Default: no limit. */
  readonly quota?: Quota;
}

/** Keeps messages in Maildirs, for `deliver` in the config file. Throws a UsageError. */
export function maildir(place: MaildirPlace): Place {
  const { folder, quota } = place;
  const unknown = unknownName(place, { folder: true, quota: true } satisfies Record<keyof MaildirPlace, true>);
  if (unknown !== undefined) throw new UsageError(`maildir: expected folder and quota, not ${JSON.stringify(unknown)}`);
  if (typeof folder !== 'string' || folder === '') throw new UsageError('maildir: expected a folder');
  return new Place(({ log }) => {
    const delivery = deliveryInto(folder, {
      onTrouble: (error, mailbox) => log.error('a message was not stored', { recipient: mailbox?.toString(), error }),
      ...(quota !== undefined && { quota }),
    });
    const explain = (error: unknown): never => {
      throw cannotStore(resolve(folder), error);
    };
    return Object.assign(() => delivery, { prepare: () => delivery.prepare().catch(explain) });
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
