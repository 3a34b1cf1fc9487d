/** Returns the length of the field name with which the line begins (RFC 5322 §2.2, §4.5.3); 0 if it begins with none. */
export function nameLength(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && isNameCharacter(bytes[at] as number)) at++;
  const length = at - from;
  while (at < to && isBlank(bytes[at])) at++;
  return at < to && bytes[at] === COLON ? length : 0;
}

/** True for an octet that a field name may have (RFC 5322 §2.2). */
export function isNameCharacter(octet: number): boolean {
  return octet > 0x20 && octet < 0x7f && octet !== COLON;
}

/** True for a space or a tab, with which a folded line goes on (RFC 5322 §2.2.3). */
export function isBlank(octet: number | undefined): boolean {
  return octet === 0x20 || octet === 0x09;
}

/** True if this name, given in lower case and of letters and hyphens, stands there in any letter case. */
export function isName(bytes: Uint8Array, from: number, name: Uint8Array): boolean {
  for (let at = 0; at < name.length; at++) if (((bytes[from + at] as number) | 0x20) !== name[at]) return false;
  return true;
}

export const COLON = 0x3a;
