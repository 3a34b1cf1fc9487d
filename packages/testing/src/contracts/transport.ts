import assert from 'node:assert/strict';
import type { MaybePromise, Transport } from '@postern/conversation';
import { listenTo, readChunk } from '../raw-transport.ts';
import { type ContractCase, skippedCase } from './case.ts';

/** The two ends of one connection. */
export interface TransportPair {
  readonly client: Transport;
  readonly server: Transport;
  /** Breaks the connection from the client's end, as a TCP reset does. */
  readonly reset?: () => void;
}

/** A transport, and the inputs of its contract. */
export interface TransportContract {
  /** Makes a new connection for each rule. */
  readonly make: () => MaybePromise<TransportPair>;
  /** True if the pairs have `reset`. Without it that rule is skipped. Default: false. */
  readonly hasReset?: boolean;
  /**
   * True if both ends have `startTls`. Without it the rules of STARTTLS are skipped. Default:
   * false.
   */
  readonly hasStartTls?: boolean;
}

/**
 * Returns the rules of every {@link Transport}: order, back-pressure, half-close, reset and
 * STARTTLS.
 *
 * @example
 * ```ts
 * import { memoryPipe, transportContract } from '@postern/testing';
 * import { it } from 'vitest';
 *
 * const make = () => {
 *   const { client, server } = memoryPipe();
 *   return { client, server, reset: () => client.reset() };
 * };
 * for (const { name, run, skipped } of transportContract({ make, hasReset: true })) {
 *   it.skipIf(skipped !== undefined)(name, run);
 * }
 * ```
 */
export function transportContract(contract: TransportContract): readonly ContractCase[] {
  const { hasReset = false, hasStartTls = false } = contract;
  const ruleCase = ([name, rule]: [string, Rule]): ContractCase => ({
    name,
    run: async () => runRule(rule, contract),
  });
  const caseIf = (isGiven: boolean, input: string) => (entry: [string, Rule]) =>
    isGiven ? ruleCase(entry) : skippedCase(entry[0], `the contract does not set \`${input}\``);
  return [
    ...Object.entries(RULES).map(ruleCase),
    ...Object.entries(RESET_RULES).map(caseIf(hasReset, 'hasReset')),
    ...Object.entries(START_TLS_RULES).map(caseIf(hasStartTls, 'hasStartTls')),
  ];
}

async function runRule(rule: Rule, { make, hasStartTls = false }: TransportContract): Promise<void> {
  const pair = await make();
  try {
    assert.equal(pair.server.startTls !== undefined, hasStartTls, 'hasStartTls of the contract');
    await rule(pair);
  } finally {
    pair.client.destroy();
    pair.server.destroy();
  }
}

type Rule = (pair: TransportPair) => Promise<void>;

const RULES: Readonly<Record<string, Rule>> = {
  async 'carries bytes both ways in order'({ client, server }) {
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

  async 'delivers a copy: the writer may change its bytes after the write'({ client, server }) {
    const bytes = Buffer.from('before');
    await client.write(bytes);
    assert.equal((await readOctets(server, 6)).toString(), 'before');
    bytes.fill('x');
    await client.write('!');
    assert.equal((await readOctets(server, 1)).toString(), '!');
  },

  async 'knows the addresses of both ends'({ client, server }) {
    assert.equal(server.local.family, client.remote.family);
    assert.equal(server.local.address, client.remote.address);
    assert.equal(server.local.port, client.remote.port);
    assert.equal(server.remote.port, client.local.port);
  },

  async 'delivers all written bytes before the end'({ client, server }) {
    const sent = Buffer.alloc(300_000, 'abcdefg');
    const written = client.write(sent);
    client.end();
    const [read] = await Promise.all([readAll(server), written]);
    assert.deepEqual(read, sent);
    assert.equal(await readChunk(server), undefined);
  },

  async 'lets one end write after the other end has ended'({ client, server }) {
    client.end();
    assert.equal(await readChunk(server), undefined);
    await server.write('still here');
    assert.equal((await readOctets(client, 10)).toString(), 'still here');
  },

  async 'rejects a write after its own end'({ client }) {
    client.end();
    await assert.rejects(async () => client.write('too late'));
  },

  async 'calls onEnd once, after all bytes were read'({ client, server }) {
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

  async 'closes when both ends have ended, and calls onClose once'({ client, server }) {
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

  async 'rejects pending and later reads and writes after destroy'({ client, server }) {
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

  async 'calls onInput once for input after a read that returned `later`'({ client, server }) {
    assert.equal(server.read(), 'later');
    const input = countOf(server, 'onInput');
    await client.write('here');
    await input.first;
    assert.equal((await readOctets(server, 4)).toString(), 'here');
    assert.equal(input.count, 1);
  },

  async 'calls onInput for the end after a read that returned `later`'({ client, server }) {
    assert.equal(server.read(), 'later');
    const input = countOf(server, 'onInput');
    client.end();
    await input.first;
    assert.equal(server.read(), 'ended');
  },

  async 'makes the writer wait for a slow reader'({ client, server }) {
    const { written, waiting } = await fill(client);
    const read = await readOctets(server, written);
    assert.equal(read.length, written);
    await waiting;
    await client.write('resumed!');
    assert.equal((await readOctets(server, 8)).toString(), 'resumed!');
  },

  async 'rejects a waiting write after destroy'({ client }) {
    const { waiting } = await fill(client);
    const rejected = assert.rejects(waiting);
    client.destroy();
    await rejected;
  },

  async 'rejects a waiting write when the peer closes'({ client, server }) {
    const { waiting } = await fill(client);
    const rejected = assert.rejects(waiting);
    server.destroy();
    await rejected;
  },

  async 'has startTls exactly if its TLS policy is `offered` or `required`'({ server }) {
    const startable = server.tlsPolicy === 'offered' || server.tlsPolicy === 'required';
    assert.equal(server.startTls !== undefined, startable);
    assert.equal(server.tls !== undefined, server.tlsPolicy === 'implicit');
  },
};

const RESET_RULES: Readonly<Record<string, Rule>> = {
  async 'rejects reads and writes after a reset'({ server, reset }) {
    assert.ok(reset !== undefined, 'the pair has no `reset`');
    const closed = countOf(server, 'onClose');
    const reading = assert.rejects(readChunk(server));
    await turn();
    reset();
    await reading;
    await closed.first;
    await assert.rejects(async () => server.write('too late'));
    assert.equal(closed.count, 1);
  },
};

const START_TLS_RULES: Readonly<Record<string, Rule>> = {
  async 'starts TLS, drops unread clear text, and carries bytes'({ client, server }) {
    assert.ok(server.startTls !== undefined && client.startTls !== undefined, 'no startTls');
    await client.write('STARTTLS\r\ninjected');
    assert.equal((await readOctets(server, 8)).toString(), 'STARTTLS');
    await Promise.all([server.startTls(), client.startTls()]);
    assert.match(server.tls?.version ?? '', /^TLSv1\.[23]$/);
    await client.write('secret');
    assert.equal((await readOctets(server, 6)).toString(), 'secret');
    await server.write('answer');
    assert.equal((await readOctets(client, 6)).toString(), 'answer');
  },

  async 'rejects startTls when the peer closes during the handshake'({ client, server }) {
    assert.ok(server.startTls !== undefined, 'no startTls');
    const started = assert.rejects(server.startTls());
    await turn();
    client.destroy();
    await started;
  },
};

/** Resolves with the next octets, as many as asked for. */
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

/** Reads until the connection has ended or broken. */
async function over(transport: Transport): Promise<void> {
  await readAll(transport).catch(() => {});
}

/** Writes until a write has to wait for the reader. */
async function fill(transport: Transport): Promise<{ written: number; waiting: Promise<void> }> {
  const piece = Buffer.alloc(65_536, 'x');
  for (let written = piece.length; written <= MAX_UNREAD_OCTETS; written += piece.length) {
    const writing = transport.write(piece);
    if (writing === undefined) continue;
    const isWaiting = await Promise.race([writing.then(() => false), rest().then(() => true)]);
    if (!isWaiting) continue;
    // The rule handles the rejection later; until then it is no unhandled one.
    writing.catch(() => {});
    return { written, waiting: writing };
  }
  return assert.fail(`the transport took ${MAX_UNREAD_OCTETS} octets that the peer did not read`);
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

/** Waits until the kernel has taken what it can, even if this process gets little CPU time. */
async function rest(): Promise<void> {
  await turn(KERNEL_WAIT_MS);
  for (let turns = 0; turns < EXTRA_TURNS; turns++) await new Promise((resolve) => setImmediate(resolve));
}

const KERNEL_WAIT_MS = 50;
/** Turns of the event loop. */
const EXTRA_TURNS = 50;
const MAX_UNREAD_OCTETS = 256 * 1024 * 1024;
