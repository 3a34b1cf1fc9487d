import { decodeBase64, encodeBase64 } from '../bytes.ts';
import { hashOfMechanism, SCRAM_HASHES, type ScramHash } from './hashes.ts';

/** The parts of a {@link ScramSecret}. */
export interface ScramSecretParts {
  readonly hash: ScramHash;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** StoredKey, with the length of a digest. */
  readonly storedKey: Uint8Array;
  /** ServerKey, with the length of a digest. */
  readonly serverKey: Uint8Array;
}

/**
 * The forms in which servers store SCRAM secrets. LDAP (RFC 5803) and PostgreSQL use the same form.
 */
export type ScramRecordForm = 'rfc5803' | 'postgresql' | 'dovecot';

/** Parses a record of any form. Returns undefined for a text of another form. */
export function parseRecord(record: string): ScramSecretParts | undefined {
  const match = RFC5803.exec(record) ?? DOVECOT.exec(record);
  if (match === null) return undefined;
  const [, mechanism = '', iterations, rawSalt = '', rawStoredKey = '', rawServerKey = ''] = match;
  const hash = hashOfMechanism(mechanism);
  const salt = decodeBase64(rawSalt);
  const storedKey = decodeBase64(rawStoredKey);
  const serverKey = decodeBase64(rawServerKey);
  if (hash === undefined || salt === undefined || storedKey === undefined || serverKey === undefined) return undefined;
  return { hash, salt, iterations: Number(iterations), storedKey, serverKey };
}

/** Returns a secret's parts as a record of that form. */
export function formatRecord(secret: ScramSecretParts, form: ScramRecordForm): string {
  const { mechanism } = SCRAM_HASHES[secret.hash];
  const salt = encodeBase64(secret.salt);
  const storedKey = encodeBase64(secret.storedKey);
  const serverKey = encodeBase64(secret.serverKey);
  if (form === 'dovecot') return `{${mechanism}}${secret.iterations},${salt},${storedKey},${serverKey}`;
  return `${mechanism}$${secret.iterations}:${salt}$${storedKey}:${serverKey}`;
}

/** Allows the spaces of RFC 3112 around the separators, which LDAP servers may write. */
const RFC5803 =
  /^ *(SCRAM-[A-Z0-9-]+) *\$ *([1-9][0-9]{0,9}):([A-Za-z0-9+/=]+) *\$ *([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+) *$/;
const DOVECOT = /^\{(SCRAM-[A-Z0-9-]+)\}([1-9][0-9]{0,9}),([A-Za-z0-9+/=]+),([A-Za-z0-9+/=]+),([A-Za-z0-9+/=]+)$/;
