import type { Transport, TransportListener } from '@postern/conversation';

/**
 * Resolves with the next bytes of a transport that has no conversation, or with undefined once the
 * peer has ended its side. Rejects if the connection breaks.
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

/** Adds callbacks to a transport that has no conversation, and keeps its earlier callbacks. */
export function listenTo(transport: Transport, listener: Partial<TransportListener>): void {
  transport.listener = { ...NO_CALLBACKS, ...transport.listener, ...listener };
}

const NO_CALLBACKS: TransportListener = { onInput() {}, onEnd() {}, onClose() {}, interrupt() {} };
