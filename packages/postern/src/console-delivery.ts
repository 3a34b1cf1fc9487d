import { type Envelope, type Message, MessageDelivery, printable } from '@postern/esmtp';

/**
 * Prints a summary of each message: envelope, subject, first lines. The log has the size of the
 * message.
 */
export class ConsoleDelivery extends MessageDelivery {
  readonly #sender: string;
  readonly #print: (text: string) => Promise<void>;

  /**
   * @param sender The user who sends the messages.
   * @param print Writes the summary. A message is delivered when the returned promise resolves.
   */
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

/** Keeps the first {@link SUMMARY_OCTETS} octets of a message for the summary. */
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
    const free = SUMMARY_OCTETS - this.#beginning.length;
    if (free > 0) this.#beginning = Buffer.concat([this.#beginning, chunk.subarray(0, free)]);
  }

  async end(): Promise<void> {
    await this.#print(summaryOf(this.#sender, this.#envelope, this.#beginning));
  }

  abort(): void {}
}

/**
 * Decodes the encoded words of a header field (RFC 2047). A word in an unknown charset stays as it
 * is.
 */
export function decodeWords(text: string): string {
  // White space between two encoded words is not part of the text (RFC 2047 §6.2).
  const joined = text.replace(/(\?=)[ \t]+(?==\?)/g, '$1');
  return joined.replace(ENCODED_WORD, (word, charset: string, encoding: string, encoded: string) => {
    try {
      const octets = /b/i.test(encoding) ? Buffer.from(encoded, 'base64') : decodeQ(encoded);
      return new TextDecoder(charset).decode(octets);
    } catch {
      return word;
    }
  });
}

/** Decodes the encoding `Q` (RFC 2047 §4.2). */
function decodeQ(encoded: string): Buffer {
  const octets = encoded
    .replaceAll('_', ' ')
    .replace(/=([0-9A-F]{2})/gi, (_match, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, 'latin1');
}

function summaryOf(sender: string, { id, reversePath, recipients }: Envelope, beginning: Buffer): string {
  const [header, body] = headerAndBody(beginning.toString());
  const to = recipients.slice(0, MAX_SHOWN_RECIPIENTS).map(({ forwardPath }) => `<${forwardPath.toString()}>`);
  if (recipients.length > MAX_SHOWN_RECIPIENTS) to.push(`${recipients.length - MAX_SHOWN_RECIPIENTS} more`);
  const lines = [
    `Message ${id} from <${reversePath?.toString() ?? ''}> to ${to.join(', ')}`,
    `  sent by ${sender}`,
    `  Subject: ${decodeWords(/^subject:[ \t]*(.*)$/im.exec(header)?.[1] ?? '')}`,
    ...body.slice(0, MAX_SHOWN_LINES).map((line) => `  | ${line.replaceAll('\t', '    ')}`),
  ];
  if (body.length > MAX_SHOWN_LINES) lines.push('  | …');
  const short = lines.map((line) => (line.length > MAX_COLUMNS ? `${line.slice(0, MAX_COLUMNS)}…` : line));
  return `${short.map((line) => printable(line)).join('\n')}\n`;
}

/** Returns the unfolded header and the lines of the body. */
function headerAndBody(text: string): [header: string, body: string[]] {
  const end = /(?<=^|\n)\r?\n/.exec(text)?.index ?? text.length;
  const header = text
    .slice(0, end)
    .replace(/\r?\n(?=[ \t])/g, '')
    .replaceAll('\r', '');
  const body = text.slice(end).split(/\r?\n/).slice(1);
  if (body.at(-1) === '') body.pop();
  return [header, body];
}

/** Charset, perhaps with a language (RFC 2231 §5), encoding, text. */
const ENCODED_WORD = /=\?([\w-]+)(?:\*[\w-]*)?\?([bq])\?([^? ]*)\?=/gi;
const SUMMARY_OCTETS = 16 * 1024;
const MAX_SHOWN_RECIPIENTS = 10;
const MAX_SHOWN_LINES = 10;
const MAX_COLUMNS = 160;
