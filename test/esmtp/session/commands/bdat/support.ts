import type { EsmtpEvent } from '@postern/esmtp';
import { ENVELOPE, GREETED, LOGIN, Server, type ServerOptions } from '../../../server.ts';

export const BINARY = ENVELOPE.replace('ann@example.com>', 'ann@example.com> BODY=BINARYMIME');

export const OK = 'S: 250 2.0.0 OK {/[a-z0-9]+/}';

export const OUT_OF_SEQUENCE = 'S: 503 5.5.1 Bad sequence of commands';

/** Ten octets, as much as `C: BDAT 10` needs. */
export const TEN = 'C: 12345678';

export const ABORTED = ['from', 'to', 'open', 'abort', 'logout'];

export async function play(script: string, options: ServerOptions = {}, prepare = (_server: Server): void => {}) {
  const server = new Server(options);
  prepare(server);
  await server.play(`${GREETED}${LOGIN}${script}`);
  return server;
}

export const texts = (server: Server): string[] =>
  server.delivery.delivered.map(({ text }) => text.replace(/^Received:.*(?:\r\n[ \t].*)*\r\n/, ''));

export const refusals = ({ events }: Server): EsmtpEvent[] => events.filter(({ kind }) => kind === 'message-refused');

export const BEGIN = 'EHLO client.example.org\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n';
