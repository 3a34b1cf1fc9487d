import { ConversationError } from '@postern/conversation';
import { BareLineEnding, LineTooLong } from '../../../packages/conversation/src/errors.ts';
import { LineScanner } from '../../../packages/conversation/src/line-scanner.ts';
import { SmtpProtocolError } from '../../../packages/esmtp/src/client/errors.ts';
import { hearReply } from '../../../packages/esmtp/src/client/hear-reply.ts';
import { holds, type Target } from '../target.ts';

/** The replies of a server, which the client reads. */
export const replies: Target = {
  name: 'replies',
  maxOctets: 300,
  seeds: [
    '250-mx.example.com\r\n250-SIZE 1000\r\n250 OK\r\n',
    '250 2.1.0 Sender OK\r\n354 go\r\n',
    '550-5.1.1 No such\r\n550 5.1.1 user\r\n',
    '421 4.3.2 closing',
    '250-a\r\n550 b\r\n',
    '334 \r\n',
    '250\r\n',
  ],
  tokens: ['250', '250-', '250 ', '421 ', '550-', '5.1.1 ', '4.', '\r\n', '\n', '199 ', '600 '],
  parse: (input) => new Server(input).hearLine(),
  async run(input) {
    const server = new Server(input);
    let heard = '';
    for (let count = 0; count < 100 && !server.isOver; count++) {
      try {
        const reply = await hearReply(server);
        holds(reply.code >= 200 && reply.code <= 599, 'a reply has a code');
        holds(/^(?:[2-5]\d\d[- ][ -~]*\r\n)+$/.test(String(reply)), 'a reply can be said again');
        holds(reply.enhanced === undefined || reply.enhanced[0] === String(reply.code)[0], 'an enhanced code fits');
        heard += ` ${reply.code >= 400 ? reply.code : '2xx'}${reply.lines.length > 1 ? '-' : ''}${reply.enhanced === undefined ? '' : 'e'}`;
      } catch (error) {
        if (error instanceof SmtpProtocolError) {
          holds(error.message.length <= 600, 'an error quotes a bounded part of what the server says');
          return `${heard} ${error.message.split(':')[0]}`.slice(0, 40);
        }
        if (error instanceof LineTooLong || error instanceof BareLineEnding || error instanceof ConversationError) {
          return `${heard} ${error.name}`.slice(0, 40);
        }
        throw error;
      }
    }
    return heard.slice(0, 14);
  },
};

/**
 * What the client hears of a server whose words are these octets, and that closes the connection
 * then.
 */
class Server {
  readonly #words: Buffer;
  readonly #scanner = new LineScanner();

  constructor(words: Buffer) {
    this.#words = words;
  }

  get isOver(): boolean {
    return this.#scanner.consumed === this.#words.length;
  }

  async hearLine(maximum = 16_384): Promise<string | undefined> {
    return this.isOver ? undefined : this.#scanner.scan(this.#words, this.#scanner.consumed, maximum);
  }

  unheard(maximum: number): string {
    return this.#scanner.unfinished.slice(0, maximum);
  }
}
