/** One request of a saslauthd client. The fields are octets as the client sent them. */
export interface SaslauthdRequest {
  /** The user name, with `@` and the realm behind it if the client split them. */
  readonly username: Uint8Array;
  readonly password: Uint8Array;
  /** The mail server's service, such as `smtp`; undefined if it is empty. */
  readonly service: string | undefined;
  /** `ADDRESS;PORT` of the mail server's client; undefined if the request has none. */
  readonly clientAddress: string | undefined;
}

/**
 * Parses four counted strings, each with a length of two octets, most significant octet first:
 * login, password, service and realm. Cyrus SASL after 2.1.28 sends a fifth, the client's address.
 * Older clients wait for the answer behind the fourth, so that the fifth counts only if it has
 * arrived. Returns undefined for an incomplete request.
 */
export function parseRequest(octets: Buffer): SaslauthdRequest | undefined {
  const fields: Buffer[] = [];
  let offset = 0;
  while (fields.length < MAX_FIELDS && offset + LENGTH_OCTETS <= octets.length) {
    const start = offset + LENGTH_OCTETS;
    const end = start + octets.readUInt16BE(offset);
    if (end > octets.length) break;
    fields.push(octets.subarray(start, end));
    offset = end;
  }
  const [login, password, service, realm, clientAddress] = fields;
  if (login === undefined || password === undefined || service === undefined || realm === undefined) return undefined;
  return {
    username: nameOf(login, realm),
    password,
    service: service.length === 0 ? undefined : service.toString('latin1'),
    clientAddress: clientAddress?.toString('latin1'),
  };
}

/** A client splits `joe@example.com` at its last `@`. An empty login stays empty. */
function nameOf(login: Buffer, realm: Buffer): Buffer {
  if (login.length === 0 || realm.length === 0 || login.includes(AT)) return login;
  return Buffer.concat([login, Buffer.of(AT), realm]);
}

const LENGTH_OCTETS = 2;
const MAX_FIELDS = 5;
const AT = 0x40;
