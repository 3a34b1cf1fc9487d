import type { Conversation, LineError, LineListener } from '@postern/conversation';
import { settle } from '@postern/testing';
import fc from 'fast-check';

/** One input of the peer: a line, a bad line, or a command with its data. */
export type Item =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'bare' }
  | { readonly kind: 'long' }
  | { readonly kind: 'ask'; readonly answer: string }
  | { readonly kind: 'bytes'; readonly octets: string }
  | { readonly kind: 'message'; readonly lines: readonly string[] };

/** A delay: none, a microtask, or a turn of the event loop. */
export type Delay = 'none' | 'moment' | 'turn';

const MAXIMUM = 40;

const word = fc.string({ unit: fc.constantFrom('a', '.', ' ', '\t', '\0', 'é'), maxLength: 8 });

/** Scripts of all kinds of input. */
export const items: fc.Arbitrary<readonly Item[]> = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('line' as const), text: word }),
    fc.record({ kind: fc.constant('bare' as const) }),
    fc.record({ kind: fc.constant('long' as const) }),
    fc.record({ kind: fc.constant('ask' as const), answer: word }),
    fc.record({
      kind: fc.constant('bytes' as const),
      octets: fc.string({ unit: fc.constantFrom('\r', '\n', '.', 'b') }),
    }),
    fc.record({ kind: fc.constant('message' as const), lines: fc.array(word) }),
  ),
);

export const delays: fc.Arbitrary<readonly Delay[]> = fc.array(fc.constantFrom<Delay[]>('none', 'moment', 'turn'), {
  minLength: 1,
});

/** Returns the octets that the peer writes for an item. */
export function written(item: Item): string {
  switch (item.kind) {
    case 'line':
      return `= ${item.text}\r\n`;
    case 'bare':
      return 'a\nb\r\n';
    case 'long':
      return `${'x'.repeat(MAXIMUM + 1)}\r\n`;
    case 'ask':
      return `ask\r\n${item.answer}\r\n`;
    case 'bytes':
      return `bytes ${item.octets.length}\r\n${item.octets}`;
    case 'message':
      return `message\r\n${item.lines.map((line) => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join('')}.\r\n`;
  }
}

/** Returns the record of an item that was heard. */
export function model(item: Item): string {
  switch (item.kind) {
    case 'line':
      return `= ${item.text}`;
    case 'bare':
      return 'bare-line-ending';
    case 'long':
      return 'line-too-long';
    case 'ask':
      return `answer ${item.answer}`;
    case 'bytes':
      return `bytes ${item.octets}`;
    case 'message':
      return `message ${item.lines.map((line) => `${line}\r\n`).join('')}`;
  }
}

/**
 * Hears a script, records each item and replies with the record, after the delays, one after the
 * other.
 */
export class Reader implements LineListener {
  readonly maxOctets = MAXIMUM;
  readonly interruptible = false;
  readonly notes: string[] = [];
  readonly #conversation: Conversation;
  readonly #delays: readonly Delay[];
  #steps = 0;

  constructor(conversation: Conversation, delays: readonly Delay[]) {
    this.#conversation = conversation;
    this.#delays = delays;
  }

  heard(line: string | LineError): boolean | Promise<boolean> {
    const waited = this.#wait();
    const words = typeof line === 'string' ? line.split(' ') : [line.code];
    if (waited === undefined && !['ask', 'bytes', 'message'].includes(words[0] as string)) return this.#note(line);
    return this.#hear(line, waited);
  }

  async #hear(line: string | LineError, waited: Promise<void> | undefined): Promise<boolean> {
    await waited;
    if (line === 'ask') return this.#note(`answer ${await this.#conversation.hearLine(MAXIMUM)}`);
    let text = '';
    const take = (piece: Uint8Array): Promise<void> | void => {
      text += Buffer.from(piece).toString('latin1');
      return this.#wait();
    };
    if (line === 'message') await this.#conversation.hearMessage(take);
    else if (typeof line === 'string' && line.startsWith('bytes ')) {
      await this.#conversation.hearBytes(Number(line.slice('bytes '.length)), take);
    } else return this.#note(line);
    return this.#note(`${String(line).replace(/ .*/, '')} ${text}`);
  }

  #note(line: string | LineError): boolean {
    const note = typeof line === 'string' ? line : line.code;
    this.notes.push(note);
    this.#conversation.say(`${JSON.stringify(note)}\r\n`);
    return true;
  }

  #wait(): Promise<void> | undefined {
    const delay = this.#delays[this.#steps++ % this.#delays.length];
    if (delay === 'none') return undefined;
    return delay === 'moment' ? Promise.resolve() : settle();
  }
}

/** Returns the replies to a script, as the peer reads them. */
export function replies(script: readonly Item[]): string {
  return script.map((item) => `${JSON.stringify(model(item))}\r\n`).join('');
}
