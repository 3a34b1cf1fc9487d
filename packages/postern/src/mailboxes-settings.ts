import { formatEndpoint } from '@postern/node';
import type { Config } from './config.ts';
import type { DeliveryTarget } from './delivery-target.ts';
import { UsageError } from './errors.ts';
import type { ListenerSettings } from './listener-settings.ts';
import { MailboxSource } from './mailbox-source.ts';
import { parseMaildir } from './maildir.ts';
import { parseSpec, type SpecForms } from './option-values.ts';

/** The forms of `--mailboxes`. */
export const mailboxSpecs: SpecForms<DeliveryTarget> = new Map([
  [
    'maildir',
    {
      usage: 'maildir:DIR',
      summary: 'the Maildirs DIR/ann@example.com; ?mode=660&group=NAME',
      parse: (rest = '') => parseMaildir(rest),
    },
  ],
]);

/**
 * Parses the option `mailboxes`: a spec, `maildir({…})`, or a function that returns the mailbox of
 * a user.
 *
 * @throws UsageError
 */
export function parseMailboxes(mailboxes: NonNullable<Config['mailboxes']>): MailboxSource {
  if (typeof mailboxes === 'function') return new MailboxSource(() => mailboxes);
  const source = typeof mailboxes === 'string' ? parseSpec(mailboxSpecs, mailboxes) : mailboxes;
  if (source instanceof MailboxSource) return source;
  if (source.mailboxes !== undefined) return source.mailboxes;
  throw new UsageError('expected maildir({…}), or a function: relay({…}) and the like send mail on');
}

/**
 * Checks that a POP3 listener has mailboxes to read.
 *
 * @throws UsageError that names the listener.
 */
export function expectMailboxes(mailboxes: MailboxSource | undefined, listeners: readonly ListenerSettings[]): void {
  const listener = listeners.find(({ service }) => service === 'pop3');
  if (listener === undefined || mailboxes !== undefined) return;
  throw new UsageError(
    `${formatEndpoint(listener.endpoint)}: expected --deliver maildir:DIR, or --mailboxes maildir:DIR where another ` +
      'program delivers (or mailboxes in the config file): POP3 reads mailboxes',
  );
}
