import { Closing, Conversation, type OctetServer, PeerGone } from '@postern/conversation';
import { memoryPipe } from '@postern/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';

/** A server whose requests are two octets each. */
class Pairs implements OctetServer {
  readonly pairs: string[] = [];
  readonly end = Promise.withResolvers<void>();
  readonly waits: boolean;
  #first = '';

  constructor(waits: boolean) {
    this.waits = waits;
  }

  get isBetweenRequests(): boolean {
    return this.#first === '';
  }

  heard(octets: Buffer) {
    const octet = octets.toString('latin1', 0, 1);
    if (octet === '.') return false;
    if (this.#first === '') {
      this.#first = octet;
      return 1;
    }
    this.pairs.push(this.#first + octet);
    this.#first = '';
    return this.waits ? Promise.resolve(1) : 1;
  }

  ended(): void {
    this.end.resolve();
  }

  failed(error: unknown): void {
    this.end.reject(error);
  }
}

test('passes on all octets in order, in each slicing', async () => {
  const text = fc.stringMatching(/^(?:[a-z]{2}){1,40}$/);
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1 }), fc.boolean(), async (octets, seed, waits) => {
      const { client, server: transport } = memoryPipe({ chunks: { seed } });
      const server = new Pairs(waits);
      new Conversation(transport).serveOctets(server);
      await client.write(octets);
      client.end();
      await server.end.promise;
      expect(server.pairs.join('')).toBe(octets);
    }),
  );
});

test('ends when the server returns false', async () => {
  const { client, server: transport } = memoryPipe();
  const server = new Pairs(false);
  new Conversation(transport).serveOctets(server);
  await client.write('ab.cd');
  await server.end.promise;
  expect(server.pairs).toEqual(['ab']);
});

test('fails if the peer ends its side within a request', async () => {
  const { client, server: transport } = memoryPipe();
  const server = new Pairs(false);
  new Conversation(transport).serveOctets(server);
  await client.write('abc');
  client.end();
  await expect(server.end.promise).rejects.toThrow(PeerGone);
});

test('a shutdown ends the wait between two requests', async () => {
  const { client, server: transport } = memoryPipe();
  const server = new Pairs(false);
  const shutdown = new AbortController();
  new Conversation(transport, { shutdownSignal: shutdown.signal }).serveOctets(server);
  await client.write('ab');
  shutdown.abort();
  await expect(server.end.promise).rejects.toThrow(Closing);
});
