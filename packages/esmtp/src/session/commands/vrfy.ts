import { after, type MaybePromise } from '@postern/core';
import type { Mailbox } from '../../protocol/address.ts';
import type { Command } from '../../protocol/command.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/** VRFY (RFC 5321 §3.5.3, §7.3, RFC 6531 §3.7.4.2): says who that is if the delivery says so, and else nothing of who is there. */
export function vrfy(state: State, { text, smtpUtf8 }: Extract<Command, { verb: 'VRFY' }>): MaybePromise<Reply> {
  const avatar = state.login?.avatar;
  if (avatar?.verify === undefined) return CANNOT_VERIFY;
  return after(
    state.ask(() => avatar.verify?.(text)),
    (mailbox) => verified(mailbox, smtpUtf8),
  );
}

function verified(mailbox: Mailbox | undefined, smtpUtf8: boolean): Reply {
  if (mailbox === undefined) return CANNOT_VERIFY;
  if (!mailbox.isAscii && !smtpUtf8) return CANNOT_TELL;
  return new Reply(250, '2.1.5', mailbox.toString()).inUtf8();
}

const CANNOT_VERIFY = new Reply(252, '2.0.0', 'Cannot verify, but will take mail and try');
const CANNOT_TELL = new Reply(252, '2.6.8', 'There is such a mailbox, whose name can only be told with SMTPUTF8');
