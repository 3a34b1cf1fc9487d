import { ANONYMOUS, type AvatarFactory } from '@postern/cred';
import type { MessageDelivery } from '@postern/esmtp';
import { MaildirDelivery } from '@postern/maildir';
import { ConsoleDelivery } from './console-delivery.ts';
import { DiscardDelivery } from './discard-delivery.ts';
import type { Log } from './log.ts';
import { expectWord, type SpecForm, type SpecForms } from './spec.ts';
import { UsageError } from './usage-error.ts';

/** What a place for messages may need of the command. */
export interface DeliveryContext {
  readonly log: Log;
  /** Writes to the standard output; rejects if that cannot be done. */
  readonly print: (text: string) => Promise<void>;
}

/** A place for messages, before there is anything to deliver: asked once, when the server starts. */
export type DeliverSpec = (context: DeliveryContext) => AvatarFactory<MessageDelivery>;

const toConsole: SpecForm<DeliverSpec> = {
  usage: 'console',
  summary: 'a readable summary of each message on the standard output',
  parse(rest) {
    expectWord('console', rest);
    return ({ print }) =>
      (avatarId) =>
        new ConsoleDelivery(avatarId === ANONYMOUS ? 'anonymous' : avatarId, print);
  },
};

const discard: SpecForm<DeliverSpec> = {
  usage: 'discard',
  summary: 'nowhere',
  parse(rest) {
    expectWord('discard', rest);
    const delivery = new DiscardDelivery();
    return () => () => delivery;
  },
};

const maildir: SpecForm<DeliverSpec> = {
  usage: 'maildir:DIR',
  summary: 'a Maildir for each recipient: DIR/ann@example.com/new',
  parse(folder = '') {
    if (folder === '') throw new UsageError('expected maildir:DIR, with a folder');
    return ({ log }) => {
      const delivery = new MaildirDelivery(folder, {
        onTrouble: (error, mailbox) => log.error('a message was not stored', { recipient: mailbox?.toString(), error }),
      });
      return () => delivery;
    };
  },
};

/** The places that `--deliver` can name. */
export const deliverSpecs: SpecForms<DeliverSpec> = new Map([
  ['console', toConsole],
  ['discard', discard],
  ['maildir', maildir],
]);
