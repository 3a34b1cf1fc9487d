import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** A back end of IMAP or ManageSieve that accepts each login, and then sends back each line. */
export interface TestBackEnd extends AsyncDisposable {
  readonly port: number;
  /** The lines of all clients up to their logins, in order. */
  readonly lines: readonly string[];
}

/** Starts a {@link TestBackEnd} of IMAP on a free loopback port. */
export function startImapBackEnd(): Promise<TestBackEnd> {
  return start('* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n', (line) => {
    const [tag = '', command = ''] = line.split(' ');
    if (/^AUTHENTICATE$/i.test(command)) return { reply: `${tag} OK [CAPABILITY IMAP4rev1 IDLE] in\r\n`, isIn: true };
    return { reply: `* CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\r\n${tag} OK done\r\n`, isIn: false };
  });
}

/** Starts a {@link TestBackEnd} of ManageSieve on a free loopback port. */
export function startSieveBackEnd(): Promise<TestBackEnd> {
  const capabilities = '"IMPLEMENTATION" "test"\r\n"SASL" "PLAIN"\r\n"SIEVE" "fileinto"\r\n"VERSION" "1.0"\r\nOK\r\n';
  return start(capabilities, (line) => {
    // The message of PLAIN is the literal on the next line.
    if (/^AUTHENTICATE .*\+\}$/.test(line)) return { reply: '', isIn: false };
    return line.includes(' ') ? { reply: capabilities, isIn: false } : { reply: 'OK\r\n', isIn: true };
  });
}

async function start(
  greeting: string,
  answer: (line: string) => { readonly reply: string; readonly isIn: boolean },
): Promise<TestBackEnd> {
  const sockets = new Set<Socket>();
  const lines: string[] = [];
  const server = createServer((socket) => {
    sockets.add(socket.setEncoding('latin1'));
    socket.on('error', () => {});
    socket.write(greeting);
    let heard = '';
    let isIn = false;
    socket.on('data', (text: string) => {
      heard += text;
      for (let end = heard.indexOf('\r\n'); end >= 0; end = heard.indexOf('\r\n')) {
        const line = heard.slice(0, end);
        heard = heard.slice(end + 2);
        if (isIn) socket.write(`echo ${line}\r\n`);
        else {
          lines.push(line);
          const answered = answer(line);
          isIn = answered.isIn;
          socket.write(answered.reply);
        }
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    lines,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
