/** The text as xtext (RFC 3461 §4), in UTF-8. */
export function encodeXtext(text: string): string {
  const octets = Buffer.from(text).toString('latin1');
  return octets.replace(/[^!-*,-<>-~]/g, (octet) => {
    return `+${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}

/** The text that an xtext stands for (RFC 3461 §4), a character an octet; undefined if it is none. */
export function decodeXtext(xtext: string): string | undefined {
  if (!/^(?:[!-*,-<>-~]|\+[\dA-F]{2})*$/.test(xtext)) return undefined;
  return xtext.replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
