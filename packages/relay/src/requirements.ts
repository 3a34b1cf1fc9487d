import type { Recipient, Reply } from '@postern/esmtp';
import type { SmtpClient } from '@postern/esmtp/client';
import type { ContentScan } from './content-scan.ts';
import { CONVERSION, rejectionOf, replyForMissing } from './next-server-replies.ts';
import type { Sender } from './sender.ts';

/**
 * The extensions that the client declared with MAIL and the next server lacks. Many clients declare
 * every offered extension, so the relay sends such a message unless its content needs the
 * extension.
 */
export interface MissingExtensions {
  readonly smtpUtf8: boolean;
  readonly eightBitMime: boolean;
}

/** Returns the missing extensions; undefined if the next server offers all declared ones. */
export function missingExtensions({ extensions }: SmtpClient, { parameters }: Sender): MissingExtensions | undefined {
  const smtpUtf8 = parameters.smtpUtf8 && !extensions.has('SMTPUTF8');
  const eightBitMime = parameters.body === '8BITMIME' && !extensions.has('8BITMIME');
  return smtpUtf8 || eightBitMime ? { smtpUtf8, eightBitMime } : undefined;
}

/**
 * Returns the sender without the parameters that the next server lacks. A reverse-path beyond ASCII
 * keeps SMTPUTF8, which MAIL needs for it (RFC 6531 §3.2).
 */
export function withoutMissing(sender: Sender, missing: MissingExtensions | undefined): Sender {
  if (missing === undefined) return sender;
  const { reversePath } = sender;
  const { body, ...parameters } = sender.parameters;
  return {
    reversePath,
    parameters: {
      ...parameters,
      ...(body !== undefined && !missing.eightBitMime && { body }),
      smtpUtf8: parameters.smtpUtf8 && !(missing.smtpUtf8 && (reversePath?.isAscii ?? true)),
    },
  };
}

/**
 * Returns the refusal of a recipient that needs SMTPUTF8; undefined if RCPT can name the recipient.
 */
export function replyIfUnsayable({ extensions }: SmtpClient, { forwardPath }: Recipient): Reply | undefined {
  return forwardPath.isAscii || extensions.has('SMTPUTF8') ? undefined : replyForMissing.get('SMTPUTF8');
}

/**
 * Checks the content against the missing extensions.
 *
 * @throws Rejection 550 5.6.7 for a header, and 554 5.6.3 for a body, that needs one of them
 */
export function checkContent(scan: ContentScan, missing: MissingExtensions): void {
  const { hasNonAsciiHeader, hasNonAsciiBody } = scan;
  if (missing.smtpUtf8 && hasNonAsciiHeader) throw rejectionOf(replyForMissing.get('SMTPUTF8') ?? CONVERSION);
  if (missing.eightBitMime && (hasNonAsciiHeader || hasNonAsciiBody)) throw rejectionOf(CONVERSION);
}
