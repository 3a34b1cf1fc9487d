import type { Conversation, LineError } from '@postern/conversation';
import type { MaybePromise } from '@postern/core';
import { type ClosingReason, type SessionDialogue, serveSession } from '@postern/sasl-profile';
import { COMMAND_FAILED, closingReplies, replyForLine } from '../error-replies.ts';
import { parseCommand, type Verb, verbOf } from '../protocol/command.ts';
import { junkVerbs } from '../protocol/phases.ts';
import { dispatch } from './dispatch.ts';
import type { Settings } from './settings.ts';
import { State } from './state.ts';

/** Runs one POP3 session, from the greeting until the connection closes. Never rejects. */
export function runSession(conversation: Conversation, settings: Settings): Promise<void> {
  const { maxCommandLine, maxExchangeLine } = settings.limits;
  const maxOctets = Math.max(maxCommandLine, maxExchangeLine + AUTH_PREFIX_OCTETS);
  const state = new State(conversation, settings);
  return serveSession(state, new Pop3Dialogue(state), maxOctets);
}

/** The words of one POP3 session. */
class Pop3Dialogue implements SessionDialogue<Verb> {
  readonly #state: State;

  constructor(state: State) {
    this.#state = state;
  }

  get greeting(): string {
    return this.#state.greeting;
  }

  /** RFC 1939 §3: a server closes an idle connection without a response. */
  get hasSilentTimeout(): boolean {
    return true;
  }

  get interruptible(): boolean {
    return !this.#state.hasMarks;
  }

  get junkVerbs(): ReadonlySet<Verb> {
    return junkVerbs;
  }

  command(line: string): MaybePromise<string | undefined> {
    return dispatch(this.#state, parseCommand(line), line.length);
  }

  verbOf(line: string): Verb | undefined {
    return verbOf(line);
  }

  unreadable(error: LineError): string {
    return replyForLine(error);
  }

  failed(): string {
    return COMMAND_FAILED;
  }

  closingReply(reason: ClosingReason): string {
    return closingReplies[reason];
  }
}

/** `AUTH `, a mechanism and a few spaces. */
const AUTH_PREFIX_OCTETS = 40;
