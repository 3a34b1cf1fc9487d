import { createHash } from 'node:crypto';
import { MessageGone } from './errors.ts';
import { Mailbox, type MessageContent, type MessageInfo } from './mailbox.ts';

/**
 * A mailbox that keeps messages in memory: for tests. Messages that a session removes are gone from
 * {@link contents}, and the next session of the same object does not list them. It has no lock.
 *
 * @example
 * ```ts
 * import { InMemoryMailbox, Mailbox, pop3 } from '@postern/pop3';
 * import { dialogue, portalFor } from '@postern/testing';
 *
 * const mailbox = new InMemoryMailbox(['Subject: Hello\r\n\r\nHi\r\n']);
 * const portal = portalFor({ ann: 'secret' }, Mailbox, () => mailbox);
 * await dialogue(pop3({ hostname: 'pop.example.com', portal }), `
 *   S: +OK pop.example.com <any>
 * `);
 * ```
 */
export class InMemoryMailbox extends Mailbox {
  readonly messages: readonly MessageInfo[];
  readonly #contents: (Uint8Array | undefined)[];

  /** Takes the messages with CRLF line endings. A string is sent as UTF-8. */
  constructor(messages: readonly (string | Uint8Array)[] = []) {
    super();
    this.#contents = messages.map((message) => (typeof message === 'string' ? Buffer.from(message) : message));
    this.messages = this.#contents.map((content, index) => infoOf(content ?? NOTHING, index));
  }

  /** The messages that no session has removed. */
  get contents(): readonly Uint8Array[] {
    return this.#contents.filter((content) => content !== undefined);
  }

  override open(index: number): MessageContent {
    const content = this.#contents[index];
    if (content === undefined) throw new MessageGone();
    let rest: Uint8Array | undefined = content.length === 0 ? undefined : content;
    return {
      read: () => {
        const octets = rest;
        rest = undefined;
        return octets;
      },
      close: () => {},
    };
  }

  override update(deleted: readonly number[]): void {
    for (const index of deleted) this.#contents[index] = undefined;
  }
}

/** The id depends on the index, because two messages may be equal. */
function infoOf(content: Uint8Array, index: number): MessageInfo {
  const uid = createHash('sha256').update(`${index} `).update(content).digest('hex').slice(0, UID_CHARACTERS);
  return { octets: content.length, uid };
}

const UID_CHARACTERS = 32;
const NOTHING = new Uint8Array(0);
