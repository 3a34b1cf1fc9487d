// A SASL client: it logs in to an SMTP server by the best mechanism that both sides have.
// `SmtpSasl` is the only part that knows SMTP. (A program that sends mail uses `connectSmtp` of
// @postern/esmtp/client.)
//
//   node examples/dist/sasl-client.js localhost 2500 joe password
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { decodeBase64, encodeBase64 } from '@postern/sasl';
import {
  AuthenticationFailure,
  authenticate,
  plainResponder,
  SaslFailure,
  type SaslInterface,
  type SaslReply,
  scramResponder,
} from '@postern/sasl/client';

const [host = 'localhost', port = '2500', username = 'joe', password = 'password'] = process.argv.slice(2);
const socket = connect(Number(port), host);
const input = createInterface({ input: socket })[Symbol.asyncIterator]();

class SmtpSasl implements SaslInterface {
  initiate(mechanism: string, initialResponse: Uint8Array | undefined): Promise<SaslReply> {
    if (initialResponse === undefined) return this.#say(`AUTH ${mechanism}`);
    // RFC 4954 §4: an empty initial response is a single `=`.
    return this.#say(`AUTH ${mechanism} ${initialResponse.length === 0 ? '=' : encodeBase64(initialResponse)}`);
  }

  respond(response: Uint8Array): Promise<SaslReply> {
    return this.#say(encodeBase64(response));
  }

  async abort(): Promise<void> {
    await this.#say('*').catch(() => {});
  }

  async #say(line: string): Promise<SaslReply> {
    const { code, text } = await command(line);
    if (code === 334) {
      const payload = decodeBase64(text);
      if (payload === undefined) throw new SaslFailure('the challenge is not base64');
      return { state: 'challenge', payload };
    }
    if (code === 235) return { state: 'success', payload: undefined };
    if (code === 535) throw new AuthenticationFailure(text);
    throw new SaslFailure(`${code} ${text}`);
  }
}

await reply();
const { lines: extensions } = await command('EHLO client.example');
const offered =
  extensions
    .find((line) => line.startsWith('AUTH '))
    ?.split(' ')
    .slice(1) ?? [];
console.log(`offered: ${offered.join(' ')}`);
const responders = [scramResponder({ username, password, hash: 'sha256' }), plainResponder({ username, password })];
try {
  const { mechanism } = await authenticate(responders, offered, new SmtpSasl(), { secure: host === 'localhost' });
  console.log(`logged in as ${username} by ${mechanism}`);
} catch (error) {
  console.log(String(error));
  process.exitCode = 1;
}
await command('QUIT');
socket.end();

interface Reply {
  readonly code: number;
  readonly lines: readonly string[];
  /** The last line. */
  readonly text: string;
}

function command(line: string): Promise<Reply> {
  socket.write(`${line}\r\n`);
  return reply();
}

/** Reads all lines of a reply: `250-first`, `250 last`. */
async function reply(): Promise<Reply> {
  const heard: string[] = [];
  for (;;) {
    const { value: line = '', done } = await input.next();
    if (done) throw new Error('the server has closed the connection');
    const text = line.slice(4);
    heard.push(text);
    if (line[3] !== '-') return { code: Number(line.slice(0, 3)), lines: heard, text };
  }
}
