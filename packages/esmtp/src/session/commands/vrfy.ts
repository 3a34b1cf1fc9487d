import { isPromise, type MaybePromise } from '@postern/core';
import type { MessageDelivery } from '../../delivery.ts';
import { asDeliveryFailure } from '../../message/delivery-failed.ts';
import type { Mailbox } from '../../protocol/address.ts';
import type { Command } from '../../protocol/command.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/**
 * VRFY (RFC 5321 §3.5.3, §7.3, RFC 6531 §3.7.4.2): returns the mailbox that the delivery names, and
 * otherwise 252, which does not show whether the user exists.
 */
export async function vrfy(state: State, { text, smtpUtf8 }: Extract<Command, { verb: 'VRFY' }>): Promise<Reply> {
  const delivery = state.login?.avatar;
  if (delivery?.verify === undefined) return CANNOT_VERIFY;
  return verified(await verify(state, delivery, text), smtpUtf8);
}

function verify(state: State, delivery: MessageDelivery, text: string): MaybePromise<Mailbox | undefined> {
  try {
    const mailbox = delivery.verify?.(text);
    return isPromise(mailbox) ? state.inTime(mailbox) : mailbox;
  } catch (error) {
    throw asDeliveryFailure(error);
  }
}

function verified(mailbox: Mailbox | undefined, smtpUtf8: boolean): Reply {
  if (mailbox === undefined) return CANNOT_VERIFY;
  if (!mailbox.isAscii && !smtpUtf8) return NEEDS_SMTPUTF8;
  return new Reply(250, '2.1.5', mailbox.toString()).inUtf8();
}

const CANNOT_VERIFY = new Reply(252, '2.0.0', 'Cannot verify, but will take mail and try');
const NEEDS_SMTPUTF8 = new Reply(252, '2.6.8', 'Mailbox exists, but its name requires SMTPUTF8');
