import { type Envelope, type Message, MessageDelivery } from '@postern/esmtp';
import { decodeWords } from './encoded-words.ts';
import { printable } from './printable.ts';

/** Writes a summary of each message: envelope, subject, first lines. The log has the size, as the client sent it. */
export class ConsoleDelivery extends MessageDelivery {
  readonly #sender: string;
  readonly #print: (text: string) => Promise<void>;

  /** The sender is who logged in. */
  constructor(sender: string, print: (text: string) => Promise<void>) {
    super();
    this.#sender = sender;
    this.#print = print;
  }

  validateFrom(): void {}

  validateTo(): void {}

  openMessage(envelope: Envelope): Message {
    return new ConsoleMessage(this.#sender, envelope, this.#print);
  }
}

/** Keeps as much of the beginning as the summary may need. */
class ConsoleMessage implements Message {
  readonly keepsChunks = false;
  readonly #sender: string;
  readonly #envelope: Envelope;
  readonly #print: (text: string) => Promise<void>;
  #beginning = Buffer.alloc(0);

  constructor(sender: string, envelope: Envelope, print: (text: string) => Promise<void>) {
    this.#sender = sender;
    this.#envelope = envelope;
    this.#print = print;
  }

  write(chunk: Uint8Array): void {
    const room = BEGINNING - this.#beginning.length;
    if (room > 0) this.#beginning = Buffer.concat([this.#beginning, chunk.subarray(0, room)]);
  }

  async end(): Promise<void> {
    await this.#print(summary(this.#sender, this.#envelope, this.#beginning));
  }

  abort(): void {}
}

function summary(sender: string, { id, reversePath, recipients }: Envelope, beginning: Buffer): string {
  const [header, body] = halves(beginning.toString());
  const to = recipients.slice(0, SHOWN).map(({ forwardPath }) => `<${forwardPath.toString()}>`);
  if (recipients.length > SHOWN) to.push(`${recipients.length - SHOWN} more`);
  const lines = [
    `Message ${id} from <${reversePath?.toString() ?? ''}> to ${to.join(', ')}`,
    `  sent by ${sender}`,
    `  Subject: ${decodeWords(/^subject:[ \t]*(.*)$/im.exec(header)?.[1] ?? '')}`,
    ...body.slice(0, SHOWN).map((line) => `  | ${line.replaceAll('\t', '    ')}`),
  ];
  if (body.length > SHOWN) lines.push('  | …');
  return `${lines.map((line) => printable(line.length > WIDTH ? `${line.slice(0, WIDTH)}…` : line)).join('\n')}\n`;
}

/** The header, unfolded, and the lines of the body. */
function halves(text: string): [header: string, body: string[]] {
  const end = /(?<=^|\n)\r?\n/.exec(text)?.index ?? text.length;
  const body = text.slice(end).split(/\r?\n/).slice(1);
  if (body.at(-1) === '') body.pop();
  return [
    text
      .slice(0, end)
      .replace(/\r?\n(?=[ \t])/g, '')
      .replaceAll('\r', ''),
    body,
  ];
}

/** Octets. */
const BEGINNING = 16 * 1024;

/** Recipients, and lines of the body. */
const SHOWN = 10;

const WIDTH = 160;
