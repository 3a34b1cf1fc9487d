import { type EntryWriter, writeSessionEntry } from '@postern/sasl-profile';
import type { HttpAuthEvent } from '../events.ts';
import type { MailReply } from '../nginx/mail-replies.ts';
import type { NginxMailEvent } from '../nginx/nginx-mail.ts';

/** Writes the log entry of an event, with the messages and fields of the other protocols. */
export function writeEntry(
  event: Exclude<HttpAuthEvent | NginxMailEvent, { kind: 'error' }>,
  entry: EntryWriter,
): void {
  const { protocol } = event.mind;
  writeSessionEntry<string | MailReply>(event, entry, (reply) =>
    typeof reply === 'string' ? reply : formatMailReply(reply, protocol),
  );
  entry.text('service', protocol);
  entry.end();
}

/** Returns the reply as nginx sends it to the mail client. */
function formatMailReply({ code, text }: MailReply, protocol: string): string {
  if (protocol === 'smtp') return code === undefined ? text : `${code} ${text}`;
  return `${protocol === 'imap' ? 'NO' : '-ERR'} ${text}`;
}
