/** The text that an xtext stands for (RFC 3461 §4), a character an octet; undefined if it is none. */
export function decodeXtext(xtext: string): string | undefined {
  if (!/^(?:[!-*,-<>-~]|\+[\dA-F]{2})*$/.test(xtext)) return undefined;
  return xtext.replace(/\+(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
