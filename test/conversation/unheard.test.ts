import { settle } from '@postern/testing';
import { expect, test } from 'vitest';
import { converse, hear } from './converse.ts';

test('unheard returns what the peer sent and no call has taken, and takes it', async () => {
  const { conversation, client } = converse();
  await client.write('220 mx\r\n421 4.3.2 clos');
  expect(await conversation.hearLine(100)).toBe('220 mx');
  await client.write('ing\r\n');
  await settle();
  expect(conversation.unheard(100)).toBe('421 4.3.2 closing\r\n');
  expect(conversation.unheard(100)).toBe('');
});

test('unheard returns the beginning of a line after a wait that timed out', async () => {
  const { conversation, client, clock } = converse({ readTimeout: 1_000 });
  const timedOut = expect(hear(conversation)).rejects.toMatchObject({ code: 'timed-out' });
  await client.write('421 half');
  await clock.advance(10_000);
  await timedOut;
  expect(conversation.unheard(100)).toBe('421 half');
});

test('a peer that is still sending is connected, also where a half-close counts', async () => {
  const { conversation, client } = converse();
  conversation.treatHalfCloseAsDisconnect = true;
  expect(conversation.disconnected).toBe(false);
  client.end();
  const line = conversation.hearLine(100);
  await settle();
  expect(await line).toBeUndefined();
  expect(conversation.disconnected).toBe(true);
});
