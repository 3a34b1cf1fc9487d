import { connect, type Socket } from 'node:net';
import { getHeapSnapshot } from 'node:v8';
import { AvatarRealm, type Checker, Portal, UsernamePassword } from '@postern/cred';
import { esmtp, MessageDelivery } from '@postern/esmtp';
import { listen } from '@postern/node';
import { BearerToken } from '@postern/sasl';
import { expect, onTestFinished, test } from 'vitest';

test('an idle connection keeps no password of its login, neither clear nor in base64', async () => {
  const listener = await listen({ endpoint: { host: '127.0.0.1', port: 0 }, protocol });
  onTestFinished(() => listener.close({ shutdownTimeout: 0 }));
  const { openLogins } = portal;
  const plain = base64(octets('\0', NAME, '\0', ...PASSWORD));
  const clients = [
    await login(listener.address.port, [octets('AUTH PLAIN ', plain)]),
    await login(listener.address.port, [octets('AUTH PLAIN'), octets(plain)]),
    await login(listener.address.port, [octets('AUTH LOGIN'), base64(octets(NAME)), base64(octets(...PASSWORD))]),
    await login(listener.address.port, [octets('AUTH PLAIN ', plain)]),
  ];
  expect(portal.openLogins - openLogins).toBe(clients.length);
  const snapshot = await heap();
  // Proves that the search works: the name is on the heap.
  expect(snapshot.includes(NAME)).toBe(true);
  expect(snapshot.includes(octets(...PASSWORD))).toBe(false);
  expect(snapshot.includes(plain.subarray(-16))).toBe(false);
  expect(snapshot.includes(base64(octets(...PASSWORD)).subarray(0, 16))).toBe(false);
  for (const client of clients) client.destroy();
});

test.each([
  ['OAUTHBEARER', ['n,a=', 'ann.of.the.long.name@example.com', ',\x01auth=Bearer ']],
  ['XOAUTH2', ['user=', 'ann.of.the.long.name@example.com', '\x01auth=Bearer ']],
])('an idle connection keeps no token of %s', async (mechanism, beginning) => {
  const listener = await listen({ endpoint: { host: '127.0.0.1', port: 0 }, protocol });
  onTestFinished(() => listener.close({ shutdownTimeout: 0 }));
  const { openLogins } = portal;
  const message = base64(octets(...beginning, ...TOKEN, '\x01\x01'));
  const client = await login(listener.address.port, [octets(`AUTH ${mechanism} `, message)]);
  expect(portal.openLogins - openLogins).toBe(1);
  const snapshot = await heap();
  expect(snapshot.includes(octets(...TOKEN))).toBe(false);
  expect(snapshot.includes(message.subarray(-24))).toBe(false);
  client.destroy();
});

/** Long enough for V8 to slice it from a longer text without a copy. */
const NAME = 'ann.of.the.long.name@example.com';
/** In halves: as one text the test itself would keep it on the heap. */
const PASSWORD = ['a quite', ' long secret'];
const TOKEN = ['ya29.a0AfH6', 'SMBx-7gQ3'];

/** Accepts each user. */
const checker: Checker<UsernamePassword> = {
  credentialInterfaces: [UsernamePassword],
  requestAvatarId: async ({ username }) => username,
};

/** Accepts each token. */
const tokens: Checker<BearerToken> = {
  credentialInterfaces: [BearerToken],
  requestAvatarId: async ({ authzid }) => authzid ?? '',
};

class NoDelivery extends MessageDelivery {
  override validateFrom(): void {}
  override validateTo(): void {}
  override openMessage(): never {
    throw new Error('no message is sent here');
  }
}

const portal = new Portal(
  new AvatarRealm().provide(MessageDelivery, () => new NoDelivery()),
  { authorize: (avatarId) => avatarId },
)
  .register(checker)
  .register(tokens);
const protocol = esmtp({ hostname: 'mx.example.com', portal });

/** Logs in, line by line, and stays connected. */
async function login(port: number, lines: readonly Buffer[]): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await reply(socket);
  for (const line of [octets('EHLO client.example.org'), ...lines]) {
    socket.write(octets(line, '\r\n'));
    await reply(socket);
  }
  return socket;
}

function reply(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('data', resolve));
}

function octets(...parts: readonly (string | Uint8Array)[]): Buffer {
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)));
}

/** Returns base64 as octets: a string would stay on the heap. */
function base64(bytes: Buffer): Buffer {
  const whole = Math.floor(bytes.length / 3) * 3;
  const groups: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 3) {
    groups.push(Buffer.from(bytes.subarray(at, at < whole ? at + 3 : bytes.length).toString('base64')));
  }
  return Buffer.concat(groups);
}

async function heap(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of getHeapSnapshot()) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
