import { createHash, randomInt } from 'node:crypto';

/**
 * Returns a message of 1 to `maxLines` lines whose header has the digest of its body: a torn
 * message shows.
 */
export function digestedMessage(maxLines: number): Buffer {
  const lines = Array.from({ length: randomInt(1, maxLines) }, () => `${randomInt(2 ** 40)}`.padEnd(40, '.'));
  const body = `${lines.join('\r\n')}\r\n`;
  return Buffer.from(`X-Digest: ${createHash('sha256').update(body).digest('hex')}\r\n\r\n${body}`);
}

/** Returns the digest that the message declares. */
export function digestOf(message: Buffer): string {
  return /^X-Digest: ([0-9a-f]{64})\r\n/m.exec(message.toString('latin1'))?.[1] as string;
}

/** Returns true if the message has its whole body. */
export function isWhole(message: Buffer): boolean {
  const digest = digestOf(message);
  const body = message.subarray(message.indexOf(`${digest}\r\n\r\n`) + digest.length + 4);
  return createHash('sha256').update(body).digest('hex') === digest;
}
