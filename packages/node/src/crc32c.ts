/** The CRC-32C checksum (Castagnoli, RFC 9260 Appendix A), as an unsigned number. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    // Bit by bit: what is checked so is short and rare, and a table would be longer than this.
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? POLYNOMIAL : 0);
  }
  return ~crc >>> 0;
}

/** In reversed order. */
const POLYNOMIAL = 0x82f63b78;
