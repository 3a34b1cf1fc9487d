import { once } from 'node:events';
import { connect } from 'node:net';
import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
import { InMemoryDelivery, MessageDelivery } from '@postern/esmtp';
import { bindAvatar, bindChecker, bindListener, identifiers, submissionModules } from '@postern/inversify';
import type { Server } from '@postern/node';
import { Container } from 'inversify';

export const LOOPBACK = { scheme: 'smtp', host: '127.0.0.1', port: 0 } as const;

export const users = () => new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'password' });

/** Returns a container with the modules of a submission server and the named parts. */
export function containerWith(...parts: readonly ('hostname' | 'avatar' | 'checker' | 'listener')[]): Container {
  const container = new Container();
  container.load(...submissionModules);
  if (parts.includes('hostname')) container.bind(identifiers.Hostname).toConstantValue('mail.example');
  if (parts.includes('avatar')) bindAvatar(container, MessageDelivery).toConstantValue(() => new InMemoryDelivery());
  if (parts.includes('checker')) bindChecker(container, 'users').toConstantValue(users());
  if (parts.includes('listener')) bindListener(container, 'submission').toConstantValue({ endpoint: LOOPBACK });
  return container;
}

/** Sends all lines at once and returns the replies until the server closes. */
export async function say(server: Server, ...lines: readonly string[]): Promise<string> {
  const { port } = server.listeners[0]?.address ?? { port: 0 };
  const socket = connect(port, '127.0.0.1');
  let heard = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    heard += text;
  });
  socket.write(lines.map((line) => `${line}\r\n`).join(''));
  await once(socket, 'close');
  return heard;
}

/** Returns the response of PLAIN (RFC 4616). */
export function plain(username: string, password: string): string {
  return Buffer.from(`\0${username}\0${password}`).toString('base64');
}
