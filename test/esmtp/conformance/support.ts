import { GREETED, LOGIN, Server, type ServerOptions } from '../server.ts';

export const DATA = '\nC: DATA\nS: 354 End data with <CR><LF>.<CR><LF>';

export const MESSAGE = `${DATA}\nC: Subject: hi\nC:\nC: hello\nC: .\nS: 250 2.0.0 OK {/[a-z0-9]+/}`;

/** Plays a script behind a login, and returns the server. */
export async function play(script: string, options: ServerOptions = {}): Promise<Server> {
  const server = new Server(options);
  await server.play(`${GREETED}${LOGIN}${script}`);
  return server;
}

/** Returns the delivered message without the server's Received field. */
export function bodies(server: Server): string[] {
  return server.delivery.delivered.map(({ text }) => text.replace(/^Received:.*(?:\r\n[ \t].*)*\r\n/, ''));
}
