import type { MaybePromise } from '@postern/core';
import type { MessageInfo } from '../../mailbox.ts';
import type { CommandOf } from '../../protocol/command.ts';
import type { Maildrop } from '../maildrop.ts';
import { indexOf } from '../message-index.ts';
import type { State } from '../state.ts';

/** LIST (RFC 1939 §5): the size of one message, or of each. */
export function list(state: State, { message }: CommandOf<'LIST' | 'UIDL'>): MaybePromise<string | undefined> {
  const maildrop = state.maildrop;
  if (message !== undefined) return `+OK ${message} ${maildrop.messages[indexOf(maildrop, message)]?.octets}`;
  return sayEach(state, maildrop, `+OK ${maildrop.count} messages (${maildrop.octets} octets)`, octetsOf);
}

/** UIDL (RFC 1939 §7): the unique id of one message, or of each. */
export function uidl(state: State, { message }: CommandOf<'LIST' | 'UIDL'>): MaybePromise<string | undefined> {
  const maildrop = state.maildrop;
  if (message !== undefined) return `+OK ${message} ${maildrop.messages[indexOf(maildrop, message)]?.uid}`;
  return sayEach(state, maildrop, '+OK unique-id listing follows', uidOf);
}

/** Says a line for each message. A long listing is sent in parts, as fast as the client reads. */
function sayEach(
  state: State,
  maildrop: Maildrop,
  first: string,
  describe: (message: MessageInfo) => string | number,
): MaybePromise<string | undefined> {
  const { length } = maildrop.messages;
  if (length > MAX_MESSAGES_IN_ONE_PART) return sayParts(state, maildrop, first, describe);
  return `${first}\r\n${linesOf(maildrop, 0, length, describe)}.`;
}

async function sayParts(
  { conversation }: State,
  maildrop: Maildrop,
  first: string,
  describe: (message: MessageInfo) => string | number,
): Promise<undefined> {
  conversation.say(`${first}\r\n`);
  const { length } = maildrop.messages;
  for (let from = 0; from < length; from += MAX_MESSAGES_IN_ONE_PART) {
    const to = Math.min(length, from + MAX_MESSAGES_IN_ONE_PART);
    await conversation.send(Buffer.from(linesOf(maildrop, from, to, describe), 'latin1'));
  }
  conversation.say('.\r\n');
}

function linesOf(
  maildrop: Maildrop,
  from: number,
  to: number,
  describe: (message: MessageInfo) => string | number,
): string {
  let lines = '';
  for (let index = from; index < to; index++) {
    const message = maildrop.at(index);
    if (message !== undefined) lines += `${index + 1} ${describe(message)}\r\n`;
  }
  return lines;
}

function octetsOf({ octets }: MessageInfo): number {
  return octets;
}

function uidOf({ uid }: MessageInfo): string {
  return uid;
}

/** About 64 KiB of unique ids with 60 characters each. */
const MAX_MESSAGES_IN_ONE_PART = 1_000;
