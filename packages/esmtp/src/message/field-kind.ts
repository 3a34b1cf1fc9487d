import { matchesName, nameOctets } from './header-reader.ts';

/**
 * A kind of header field. `bcc`: also `Resent-Bcc`. `address`: another field with the addresses of
 * senders or recipients (RFC 5322 §3.6.2, §3.6.3, §3.6.6). `other`: a field that this server
 * ignores.
 */
export type FieldKind = 'date' | 'message-id' | 'bcc' | 'address' | 'other';

/** Returns the kind of the field whose name is at `from`. Ignores the case of letters. */
export function fieldKind(octets: Uint8Array, from: number, nameLength: number): FieldKind {
  // At most two names have the same length: most fields are compared with none.
  const names = nameLength < NAMES_BY_LENGTH.length ? NAMES_BY_LENGTH[nameLength] : undefined;
  if (names === undefined) return 'other';
  for (const { name, kind } of names) if (matchesName(octets, from, nameLength, name)) return kind;
  return 'other';
}

interface FieldName {
  /** In lower case. */
  readonly name: Uint8Array;
  readonly kind: FieldKind;
}

const KINDS: readonly (readonly [string, FieldKind])[] = [
  ['date', 'date'],
  ['message-id', 'message-id'],
  ['bcc', 'bcc'],
  ['resent-bcc', 'bcc'],
  ...['from', 'sender', 'reply-to', 'to', 'cc'].flatMap((name): (readonly [string, FieldKind])[] => [
    [name, 'address'],
    [`resent-${name}`, 'address'],
  ]),
];

const NAMES_BY_LENGTH: readonly (readonly FieldName[] | undefined)[] = Array.from(
  { length: 1 + Math.max(...KINDS.map(([name]) => name.length)) },
  (_, length) => {
    const names = KINDS.filter(([name]) => name.length === length);
    return names.length === 0 ? undefined : names.map(([name, kind]) => ({ name: nameOctets(name), kind }));
  },
);
