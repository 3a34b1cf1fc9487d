import type { Conversation } from '@postern/conversation';
import { type SessionDialogue, serveSession } from '@postern/sasl-profile';
import { closingReplies, replyForLine } from '../error-replies.ts';
import { parseCommand, type Verb, verbOf } from '../protocol/command.ts';
import { dispatch } from './dispatch.ts';
import type { Settings } from './settings.ts';
import { State } from './state.ts';

/** Runs one session, from the greeting until the connection closes. Never rejects. */
export function runSession(conversation: Conversation, settings: Settings): Promise<void> {
  const { maxCommandLine, maxExchangeLine } = settings.limits;
  const dialogue = new ImapSessionDialogue(new State(conversation, settings));
  return serveSession(dialogue.state, dialogue, Math.max(maxCommandLine, maxExchangeLine + AUTHENTICATE_OCTETS));
}

/** The words of one session. */
class ImapSessionDialogue implements SessionDialogue<Verb> {
  readonly state: State;

  constructor(state: State) {
    this.state = state;
  }

  get greeting(): string {
    return `* OK [CAPABILITY ${this.state.capabilities}] ${this.state.hostname} ready`;
  }

  command(line: string): ReturnType<typeof dispatch> {
    return dispatch(this.state, line);
  }

  verbOf(line: string): Verb | undefined {
    const command = parseCommand(line);
    return command !== undefined && 'name' in command ? verbOf(command.name) : undefined;
  }

  readonly unreadable = replyForLine;

  failed(line: string): string {
    return `${parseCommand(line)?.tag ?? '*'} NO [SERVERBUG] Internal error`;
  }

  closingReply(reason: keyof typeof closingReplies): string {
    return closingReplies[reason];
  }
}

/** The longest tag, ` AUTHENTICATE `, a mechanism and a space. */
const AUTHENTICATE_OCTETS = 64 + 14 + 20 + 1;
