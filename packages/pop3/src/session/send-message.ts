import { isAscii } from 'node:buffer';
import { BufferPool, type Conversation, DotStuffer } from '@postern/conversation';
import { isPromise, type MaybePromise } from '@postern/core';
import { Refusal } from '@postern/sasl-profile';
import { replyForMessage } from '../error-replies.ts';
import { MessageGone } from '../errors.ts';
import type { MessageContent } from '../mailbox.ts';
import { TopLines } from '../message/top-lines.ts';
import { inTime } from './in-time.ts';
import { reportMailboxError } from './report-mailbox-error.ts';
import type { State } from './state.ts';

/** One RETR or TOP. */
export interface MessageRequest {
  readonly verb: 'RETR' | 'TOP';
  readonly index: number;
  /** The first line of the reply. */
  readonly first: string;
  /** The number of body lines; undefined for the whole message. */
  readonly bodyLines: number | undefined;
}

/**
 * Sends a message with dot stuffing, as fast as the client reads. A content that fails behind its
 * first octets ends the session: its message must not look complete.
 *
 * @throws Refusal if the mailbox cannot open the message, or read its first octets.
 */
export async function sendMessage(state: State, request: MessageRequest): Promise<undefined> {
  const content = await openContent(state, request);
  try {
    const first = await readFirst(state, request, content);
    await sendContent(state, request, content, first);
  } finally {
    await closeContent(state, request, content);
  }
}

/** Returns the buffers that the sessions of one server share. */
export function stuffedBuffers(): BufferPool {
  return new BufferPool(DotStuffer.stuffedOctets(MAX_PART_OCTETS), MAX_KEPT_BUFFERS);
}

async function openContent(state: State, request: MessageRequest): Promise<MessageContent> {
  let opening: MaybePromise<MessageContent> | undefined;
  try {
    opening = state.maildrop.mailbox.open(request.index);
    return await inTime(state, opening);
  } catch (error) {
    // A content that arrives too late must not stay open.
    if (isPromise(opening)) opening.then((late) => closeContent(state, request, late)).catch(() => {});
    return refuse(state, request, error);
  }
}

async function readFirst(
  state: State,
  request: MessageRequest,
  content: MessageContent,
): Promise<Uint8Array | undefined> {
  try {
    return await inTime(state, content.read());
  } catch (error) {
    return refuse(state, request, error);
  }
}

/** @throws Refusal */
function refuse(state: State, { verb }: MessageRequest, error: unknown): never {
  if (!(error instanceof MessageGone)) reportMailboxError(state, verb, error);
  throw new Refusal(replyForMessage(error), { counts: false });
}

async function sendContent(
  state: State,
  { verb, index, first, bodyLines }: MessageRequest,
  content: MessageContent,
  firstChunk: Uint8Array | undefined,
): Promise<void> {
  const { conversation, maildrop, settings } = state;
  // A message that fails leaves its buffer to the garbage collector: the socket may still read it.
  const stuffer = new DotStuffer(settings.stuffedBuffers);
  const top = bodyLines === undefined ? undefined : new TopLines(bodyLines);
  conversation.say(`${first}\r\n`);
  let remaining = maildrop.messages[index]?.octets ?? 0;
  let chunk = firstChunk;
  while (chunk !== undefined) {
    const piece = top === undefined ? chunk : top.push(chunk);
    maildrop.octetsSent += piece.length;
    remaining -= piece.length;
    const hasMore = remaining > 0 && top?.ended !== true;
    for (let from = 0; from < piece.length; from += MAX_PART_OCTETS) {
      const end = from + MAX_PART_OCTETS;
      const sent = sendOctets(conversation, stuffer.push(piece.subarray(from, end)), hasMore || end < piece.length);
      if (sent !== undefined) await sent;
    }
    if (top?.ended) break;
    try {
      const next = inTime(state, content.read());
      chunk = isPromise(next) ? await next : next;
    } catch (error) {
      reportMailboxError(state, verb, error);
      state.closeReason = 'disconnected';
      return;
    }
  }
  conversation.say(stuffer.end());
  if (chunk === undefined) maildrop.markRetrieved(index);
}

/**
 * Sends octets. A short end of a message joins the replies around it in one write. Before that, the
 * client gets each part at once: the mailbox may take its time for the next one.
 */
function sendOctets(conversation: Conversation, octets: Uint8Array, hasMore: boolean): MaybePromise<void> {
  if (octets.length > MAX_SAID_OCTETS || !isAscii(octets)) return conversation.send(octets);
  conversation.say(Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1'));
  if (hasMore || conversation.isCongested) return conversation.flush();
}

/** Never rejects. */
async function closeContent(state: State, { verb }: MessageRequest, content: MessageContent): Promise<void> {
  try {
    await inTime(state, content.close());
  } catch (error) {
    reportMailboxError(state, verb, error);
  }
}

/** A longer text costs more as a string than a write of its own. */
const MAX_SAID_OCTETS = 16 * 1024;
/** The most octets that a session holds of a message whose client reads slowly. */
const MAX_PART_OCTETS = 64 * 1024;
/** With the dots, 1.5 MiB. */
const MAX_KEPT_BUFFERS = 16;
