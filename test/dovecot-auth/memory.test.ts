import { Conversation, MemoryBudget } from '@postern/conversation';
import { login } from '@postern/sasl';
import { memoryPipe, settle } from '@postern/testing';
import { expect, test } from 'vitest';
import { AuthServer } from './server.ts';

const UNIX = { family: 'unix', address: '', port: 0 } as const;

test('open requests of all connections stay within the budget of the server, and end with them', async () => {
  const memory = new MemoryBudget({ maxMemory: 1024 * 1024 });
  const server = new AuthServer({ challengers: [login()] });
  const connections = Array.from({ length: 4 }, () => {
    const pipe = memoryPipe({ client: UNIX, server: UNIX });
    const conversation = new Conversation(pipe.server, { deadlines: server.deadlines, memory });
    return { client: pipe.client, conversation, ended: server.protocol(conversation) };
  });
  let requests = '';
  for (let id = 1; id <= 500; id++) requests += `AUTH\t${id}\tLOGIN\tservice=smtp\n`;
  for (const { client } of connections) {
    const sent = client.write(requests);
    for (let turn = 0; turn < 200; turn++) await settle();
    await sent;
  }
  expect(memory.held).toBeGreaterThan(512 * 1024);
  expect(memory.held).toBeLessThanOrEqual(1024 * 1024);
  for (const { client, conversation, ended } of connections) {
    client.end();
    await ended;
    conversation.memory.close();
  }
  expect(memory.held).toBe(0);
});
