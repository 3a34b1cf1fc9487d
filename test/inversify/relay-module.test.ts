import { Conversation } from '@postern/conversation';
import { identifiers, relayModule, start } from '@postern/inversify';
import { memoryPipe } from '@postern/testing';
import { expect, it } from 'vitest';
import { play } from '../esmtp/client/scripted-server.ts';
import { containerWith, plain, say } from './support.ts';

it('relayModule sends messages to the smarthost under the hostname, and QUIT at the end', async () => {
  const { client, server } = memoryPipe();
  const played = play(
    new Conversation(server),
    `S: 220 next.example
     C: EHLO mail.example
     S: 250 next.example
     C: MAIL FROM:<ann@example.com>
     S: 250 2.1.0 ok
     C: RCPT TO:<bob@example.com>
     S: 250 2.1.5 ok
     C: RCPT TO:<eve@example.com>
     S: 550 5.1.1 No eve here
     C: QUIT
     S: 221 2.0.0 bye
     S: <close>`.split('\n'),
  );
  const container = containerWith('hostname', 'checker', 'listener');
  container.load(relayModule);
  container.bind(identifiers.SmarthostOptions).toConstantValue({
    endpoint: { host: 'next.example', port: 25 },
    tls: 'none',
    connect: async () => client,
  });
  const postern = await start(container);
  const heard = await say(
    postern,
    'EHLO client.example',
    `AUTH PLAIN ${plain('joe', 'password')}`,
    'MAIL FROM:<ann@example.com>',
    'RCPT TO:<bob@example.com>',
    'RCPT TO:<eve@example.com>',
    'QUIT',
  );
  expect(heard).toMatch(/^550 5\.1\.1 No eve here\r\n221 /m);
  await postern.close();
  await played;
});
