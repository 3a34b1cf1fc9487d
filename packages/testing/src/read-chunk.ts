import type { Transport } from '@postern/conversation';

/**
 * The next bytes of a transport, or undefined once the peer has ended its side: for tests that read a transport on which no
 * conversation sits. Rejects if the connection broke.
 */
export async function readChunk(transport: Transport): Promise<Uint8Array | undefined> {
  for (;;) {
    const read = transport.read();
    if (read === 'ended') return undefined;
    if (read !== 'later') return read;
    await new Promise<void>((resolve, reject) => {
      transport.onInput = (failure) => (failure === undefined ? resolve() : reject(failure));
    });
  }
}
