/**
 * Returns a message as POP3 sends it: with a second dot before a dot at the beginning of a line
 * (RFC 1939 §3). The dot that ends the message is not part of it.
 */
export function toWire(message: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (let feed = message.indexOf('\n.'); feed !== -1; feed = message.indexOf('\n.', from)) {
    // The next piece begins with the dot, which this piece ends with as well.
    pieces.push(message.subarray(from, feed + 2));
    from = feed + 1;
  }
  return pieces.length === 0 ? message : Buffer.concat([...pieces, message.subarray(from)]);
}
