import type { Recipient, Reply } from '@postern/esmtp';
import type { SmtpClient } from '@postern/esmtp/client';
import type { ContentScan } from './content-scan.ts';
import { CONVERSION, lacking, rejectionOf } from './refusals.ts';
import type { Sender } from './sender.ts';

/**
 * The extensions that our client declared with MAIL and the next server lacks. Many clients declare
 * whatever is offered, so such a message goes on unless it turns out to need them.
 */
export interface MissingExtensions {
  readonly smtpUtf8: boolean;
  readonly eightBitMime: boolean;
}

/** Returns the missing extensions, or undefined if the next server has all that was declared. */
export function missingExtensions({ extensions }: SmtpClient, { parameters }: Sender): MissingExtensions | undefined {
  const smtpUtf8 = parameters.smtpUtf8 && !extensions.has('SMTPUTF8');
  const eightBitMime = parameters.body === '8BITMIME' && !extensions.has('8BITMIME');
  return smtpUtf8 || eightBitMime ? { smtpUtf8, eightBitMime } : undefined;
}

/**
 * Returns the sender without the parameters that the next server does not know. A reverse-path
 * beyond ASCII keeps SMTPUTF8, without which it cannot be said (RFC 6531 §3.2).
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

/** Returns the refusal of a recipient that only SMTPUTF8 can name, or undefined if RCPT can say it. */
export function unsayable({ extensions }: SmtpClient, { forwardPath }: Recipient): Reply | undefined {
  return forwardPath.isAscii || extensions.has('SMTPUTF8') ? undefined : lacking.get('SMTPUTF8');
}

/**
 * Checks what a scan has found so far.
 *
 * @throws Rejection 550 5.6.7 for a header, and 554 5.6.3 for a body, that the next server cannot take.
 */
export function checkContent(scan: ContentScan, missing: MissingExtensions): void {
  const { hasNonAsciiHeader, hasNonAsciiBody } = scan;
  if (missing.smtpUtf8 && hasNonAsciiHeader) throw rejectionOf(lacking.get('SMTPUTF8') ?? CONVERSION);
  if (missing.eightBitMime && (hasNonAsciiHeader || hasNonAsciiBody)) throw rejectionOf(CONVERSION);
}
