import { MaildirDelivery, type Quota } from '@postern/maildir';
import { Place } from './place.ts';

/** Where Maildirs are, and how much each may hold. */
export interface MaildirPlace {
  /** With a Maildir for each recipient below it: `folder/ann@example.com/new`. */
  readonly folder: string;
  /** How many octets a mailbox may hold, for all or by mailbox. Default: no limit. */
  readonly quota?: Quota;
}

/** Keeps messages in Maildirs, for `deliver` in the config file. */
export function maildir({ folder, quota }: MaildirPlace): Place {
  return new Place(({ log }) => {
    const delivery = new MaildirDelivery(folder, {
      onTrouble: (error, mailbox) => log.error('a message was not stored', { recipient: mailbox?.toString(), error }),
      ...(quota !== undefined && { quota }),
    });
    return () => delivery;
  });
}
