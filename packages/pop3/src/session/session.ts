import type { Conversation, LineError } from '@postern/conversation';
import type { MaybePromise } from '@postern/core';
import { type SessionDialogue, serveSession } from '@postern/sasl-profile';
import { COMMAND_FAILED, closingReply, replyForLine, TOO_MANY_ERRORS } from '../error-replies.ts';
import { parseCommand, type Verb, verbOf } from '../protocol/command.ts';
import { dispatch } from './dispatch.ts';
import type { Settings } from './settings.ts';
import { State } from './state.ts';

/** Runs one POP3 session, from the greeting until the connection closes. Never rejects. */
export function runSession(conversation: Conversation, settings: Settings): Promise<void> {
  const state = new State(conversation, settings);
  const { maxCommandLine, maxExchangeLine } = settings.limits;
  const maxOctets = Math.max(maxCommandLine, maxExchangeLine + AUTH_PREFIX_OCTETS);
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

  get tooManyErrors(): string {
    return TOO_MANY_ERRORS;
  }

  /** A client that has marked messages fetches them again if it cannot say QUIT. */
  get interruptible(): boolean {
    return this.#state.maildrop?.hasMarks !== true;
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

  foreign(protocol: 'TLS' | 'HTTP'): string {
    return `-ERR This is a POP3 server, not ${protocol}`;
  }

  goodbye(error: unknown): string | undefined {
    return closingReply(error);
  }
}

/** `AUTH `, a mechanism and a few spaces. */
const AUTH_PREFIX_OCTETS = 40;
