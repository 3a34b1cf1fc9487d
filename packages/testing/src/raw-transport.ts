import type { Transport, TransportListener } from '@postern/conversation';

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
      listenTo(transport, { onInput: resolve, interrupt: reject });
    });
  }
}

/** Has a transport on which no conversation sits tell of these things, beside those that it tells of already. */
export function listenTo(transport: Transport, listener: Partial<TransportListener>): void {
  transport.listener = { ...NOBODY, ...transport.listener, ...listener };
}

const NOBODY: TransportListener = { onInput() {}, onEnd() {}, onClose() {}, interrupt() {} };
