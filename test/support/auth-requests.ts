import { once } from 'node:events';
import { connect } from 'node:net';

/** A login of a mail server's client, or of a web server's. */
export interface AuthRequest {
  readonly username: string;
  readonly password: string;
  /** The client's address, as the server names it. */
  readonly client: string;
}

/** Asks a UNIX socket of saslauthd. Resolves to `OK` or `NO`; to nothing if it closes. */
export async function askSaslauthd(path: string, { username, password, client }: AuthRequest): Promise<string> {
  const fields = [username, password, 'smtp', '', client].map((field) => {
    const text = Buffer.from(field);
    return Buffer.concat([Buffer.of(text.length >> 8, text.length & 0xff), text]);
  });
  return (await exchange(path, Buffer.concat(fields))).slice(2, 4);
}

/** Asks `/nginx/mail` at a UNIX socket, as nginx's mail proxy does. Resolves to the response. */
export async function askNginxMail(path: string, { username, password, client }: AuthRequest): Promise<string> {
  const head = [
    'GET /nginx/mail HTTP/1.0',
    'Host: 127.0.0.1',
    'Auth-Method: plain',
    `Auth-User: ${username}`,
    `Auth-Pass: ${password}`,
    'Auth-Protocol: smtp',
    'Auth-Login-Attempt: 1',
    `Client-IP: ${client}`,
  ];
  return await exchange(path, `${head.join('\r\n')}\r\n\r\n`);
}

/** Asks `/nginx/request` at a UNIX socket with Basic. Resolves to the response. */
export async function askNginxRequest(path: string, { username, password, client }: AuthRequest): Promise<string> {
  const credentials = Buffer.from(`${username}:${password}`).toString('base64');
  const head = ['GET /nginx/request HTTP/1.0', `Authorization: Basic ${credentials}`, `X-Real-IP: ${client}`];
  return await exchange(path, `${head.join('\r\n')}\r\n\r\n`);
}

/** Sends the octets to a UNIX socket, ends them, and resolves to the answer. */
export async function exchange(path: string, octets: string | Uint8Array): Promise<string> {
  const socket = connect(path);
  const answer: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => answer.push(chunk));
  socket.end(octets);
  await once(socket, 'close');
  return Buffer.concat(answer).toString('latin1');
}
