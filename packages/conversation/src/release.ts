/**
 * Frees the memory of a buffer at once, if the octets are the whole buffer. The buffer is unusable
 * afterwards.
 *
 * The garbage collector sees small objects and not the memory behind them. Without this call the
 * read buffers of sockets grow to a hundred megabytes, and each new buffer is cold: a server that
 * only reads takes 1.5 times as long.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (byteLength < MIN_TRANSFER_OCTETS || byteLength !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  buffer.transfer(0);
}

/** The smallest buffer to free, in octets. Node may carve smaller buffers out of a shared one. */
const MIN_TRANSFER_OCTETS = 16_384;
