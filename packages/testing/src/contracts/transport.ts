import assert from 'node:assert/strict';
import type { Transport } from '@postern/conversation';
import { listenTo, readChunk } from '../raw-transport.ts';
import type { ContractCase } from './case.ts';

/** Two ends of one connection. */
export interface TransportPair {
  readonly client: Transport;
  readonly server: Transport;
  /** Breaks the connection from the client's side, as a TCP reset does; without it the rules of that are left out. */
  readonly reset?: () => void;
}

/** What every transport has to do: `makePair` makes a new connection for every rule, with or without a startTls. */
export function transportContract(makePair: () => TransportPair | Promise<TransportPair>): readonly ContractCase[] {
  return Object.entries(RULES).map(([name, rule]) => ({
    name,
    async run() {
      const pair = await makePair();
      try {
        await rule(pair);
      } finally {
        pair.client.destroy();
        pair.server.destroy();
      }
    },
  }));
}

const RULES: Readonly<Record<string, (pair: TransportPair) => Promise<void>>> = {
  async 'carries bytes both ways, in their order'({ client, server }) {
    await client.write(Uint8Array.of(0, 13, 10, 255));
    await client.write(Uint8Array.of(1));
    assert.deepEqual(await readOctets(server, 5), Buffer.of(0, 13, 10, 255, 1));
    await server.write(Uint8Array.of(2, 3));
    assert.deepEqual(await readOctets(client, 2), Buffer.of(2, 3));
  },

  async 'writes text as UTF-8'({ client, server }) {
    await client.write('grüße\r\n');
    assert.equal((await readOctets(server, 9)).toString(), 'grüße\r\n');
  },

  async 'gives the bytes away: what the writer does with its own afterwards changes nothing'({ client, server }) {
    const bytes = Buffer.from('before');
    await client.write(bytes);
    assert.equal((await readOctets(server, 6)).toString(), 'before');
    bytes.fill('x');
    await client.write('!');
    assert.equal((await readOctets(server, 1)).toString(), '!');
  },

  async 'knows the two addresses'({ client, server }) {
    assert.equal(server.local.family, client.remote.family);
    assert.equal(server.local.address, client.remote.address);
    assert.equal(server.local.port, client.remote.port);
    assert.equal(server.remote.port, client.local.port);
  },

  async 'delivers all that was written before the end, and then undefined'({ client, server }) {
    const sent = Buffer.alloc(300_000, 'abcdefg');
    const written = client.write(sent);
    client.end();
    const [read] = await Promise.all([readAll(server), written]);
    assert.deepEqual(read, sent);
    assert.equal(await readChunk(server), undefined);
  },

  async 'lets one side speak on after the other has ended'({ client, server }) {
    client.end();
    assert.equal(await readChunk(server), undefined);
    await server.write('still here');
    assert.equal((await readOctets(client, 10)).toString(), 'still here');
  },

  async 'refuses to write after its own end'({ client }) {
    client.end();
    await assert.rejects(async () => client.write('too late'));
  },

  async 'tells once that the peer has ended, after all has been read'({ client, server }) {
    const ended = countOf(server, 'onEnd');
    await client.write('last words');
    client.end();
    assert.equal((await readAll(server)).toString(), 'last words');
    await ended.first;
    assert.equal(await readChunk(server), undefined);
    server.end();
    await countOf(server, 'onClose').first;
    assert.equal(ended.count, 1);
  },

  async 'closes by itself once both sides have ended, and tells so once'({ client, server }) {
    const closed = [countOf(client, 'onClose'), countOf(server, 'onClose')];
    client.end();
    assert.equal(await readChunk(server), undefined);
    server.end();
    assert.equal(await readChunk(client), undefined);
    await Promise.all(closed.map(({ first }) => first));
    client.destroy();
    server.destroy();
    await turn();
    assert.deepEqual(
      closed.map(({ count }) => count),
      [1, 1],
    );
  },

  async 'rejects what is under way when it is destroyed, and what comes after'({ client, server }) {
    const closed = countOf(server, 'onClose');
    const reading = assert.rejects(readChunk(server));
    await turn();
    server.destroy();
    server.destroy();
    await reading;
    await closed.first;
    await assert.rejects(readChunk(server));
    await assert.rejects(async () => server.write('too late'));
    assert.equal(closed.count, 1);
    await over(client);
  },

  async 'tells once of what comes after a read that found nothing'({ client, server }) {
    assert.equal(server.read(), 'later');
    const input = countOf(server, 'onInput');
    await client.write('here');
    await input.first;
    assert.equal((await readOctets(server, 4)).toString(), 'here');
    assert.equal(input.count, 1);
  },

  async 'tells of the end in the same way'({ client, server }) {
    assert.equal(server.read(), 'later');
    const input = countOf(server, 'onInput');
    client.end();
    await input.first;
    assert.equal(server.read(), 'ended');
  },

  async 'makes the writer wait for a reader that does not read'({ client, server }) {
    const { written, waiting } = await fill(client);
    const read = await readOctets(server, written);
    assert.equal(read.length, written);
    await waiting;
    await client.write('on we go');
    assert.equal((await readOctets(server, 8)).toString(), 'on we go');
  },

  async 'rejects a write that waits when it is destroyed'({ client }) {
    const { waiting } = await fill(client);
    const rejected = assert.rejects(waiting);
    client.destroy();
    await rejected;
  },

  async 'rejects a write that waits when the peer goes'({ client, server }) {
    const { waiting } = await fill(client);
    const rejected = assert.rejects(waiting);
    server.destroy();
    await rejected;
  },

  async 'rejects reads and writes once the connection is reset'({ server, reset }) {
    if (reset === undefined) return;
    const closed = countOf(server, 'onClose');
    const reading = assert.rejects(readChunk(server));
    await turn();
    reset();
    await reading;
    await closed.first;
    await assert.rejects(async () => server.write('too late'));
    assert.equal(closed.count, 1);
  },

  async 'has a startTls exactly where its policy says that TLS may be started'({ server }) {
    const startable = server.tlsPolicy === 'offered' || server.tlsPolicy === 'required';
    assert.equal(server.startTls !== undefined, startable);
    assert.equal(server.tls !== undefined, server.tlsPolicy === 'implicit');
  },

  async 'starts TLS, drops what was sent in the clear before, and carries bytes after'({ client, server }) {
    if (server.startTls === undefined || client.startTls === undefined) return;
    await client.write('STARTTLS\r\ninjected');
    assert.equal((await readOctets(server, 8)).toString(), 'STARTTLS');
    await Promise.all([server.startTls(), client.startTls()]);
    assert.match(server.tls?.version ?? '', /^TLSv1\.[23]$/);
    await client.write('secret');
    assert.equal((await readOctets(server, 6)).toString(), 'secret');
    await server.write('answer');
    assert.equal((await readOctets(client, 6)).toString(), 'answer');
  },

  async 'rejects startTls when the peer leaves during the handshake'({ client, server }) {
    if (server.startTls === undefined) return;
    const started = assert.rejects(server.startTls());
    await turn();
    client.destroy();
    await started;
  },
};

/** At least so many octets, as far as they go. */
async function readOctets(transport: Transport, octets: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let missing = octets; missing > 0; ) {
    const chunk = await readChunk(transport);
    assert.ok(chunk !== undefined, `the peer ended ${missing} octets too early`);
    assert.ok(chunk.length > 0, 'a chunk has at least one octet');
    chunks.push(chunk);
    missing -= chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, octets);
}

async function readAll(transport: Transport): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await readChunk(transport); chunk !== undefined; chunk = await readChunk(transport))
    chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads until the connection is over, in whatever way. */
async function over(transport: Transport): Promise<void> {
  await readAll(transport).catch(() => {});
}

/** Writes until a write has to wait. */
async function fill(transport: Transport): Promise<{ written: number; waiting: Promise<void> }> {
  const piece = Buffer.alloc(65_536, 'x');
  for (let written = piece.length; written <= MOST; written += piece.length) {
    const writing = transport.write(piece);
    if (writing === undefined) continue;
    const waits = await Promise.race([writing.then(() => false), rest().then(() => true)]);
    if (!waits) continue;
    // A rule that fails before it gets to this is failure enough.
    writing.catch(() => {});
    return { written, waiting: writing };
  }
  return assert.fail(`${MOST} octets were taken from a writer, and nobody reads`);
}

function countOf(
  transport: Transport,
  callback: 'onInput' | 'onEnd' | 'onClose',
): { count: number; first: Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const counted = { count: 0, first: promise };
  const count = (): void => {
    counted.count++;
    resolve();
  };
  listenTo(transport, { [callback]: count });
  return counted;
}

function turn(milliseconds = 0): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Long enough for the kernel to take what it takes, and for us to hear of it, though this process had no turn all the time. */
async function rest(): Promise<void> {
  await turn(WAITS);
  for (let turns = 0; turns < TURNS; turns++) await new Promise((resolve) => setImmediate(resolve));
}

/** Milliseconds. */
const WAITS = 50;
const TURNS = 50;
const MOST = 256 * 1024 * 1024;
