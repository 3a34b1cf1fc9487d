import { GREETED, LOGIN, Server, type ServerOptions } from '../server.ts';

export const DATA = '\nC: DATA\nS: 354 End data with <CR><LF>.<CR><LF>';

export const MESSAGE = `${DATA}\nC: Subject: hi\nC:\nC: hello\nC: .\nS: 250 2.0.0 OK {/[a-z0-9]+/}`;

/** Plays what comes behind a login; the server is at hand afterwards. */
export async function play(script: string, options: ServerOptions = {}): Promise<Server> {
  const server = new Server(options);
  await server.play(`${GREETED}${LOGIN}${script}`);
  return server;
}

/** What was delivered, without the field that the server puts before it. */
export function bodies(server: Server): string[] {
  return server.delivery.delivered.map(({ text }) => text.replace(/^Received:.*(?:\r\n[ \t].*)*\r\n/, ''));
}
