import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** Returns the Authorization field of a client that answers a challenge of Digest with SHA-256. */
export function digestAnswer(challenge: string, method: string, uri: string, password: string): string {
  const nonce = param(challenge, 'nonce');
  const a1 = sha256(`ann:${param(challenge, 'realm')}:${password}`);
  const response = sha256(`${a1}:${nonce}:00000001:c:auth:${sha256(`${method}:${uri}`)}`);
  return (
    `Digest username="ann", realm="${param(challenge, 'realm')}", nonce="${nonce}", uri="${uri}", cnonce="c", ` +
    `nc=00000001, algorithm=SHA-256, response="${response}", qop=auth`
  );
}

/** The first message of a client of SCRAM-SHA-256 (RFC 7804 §5). */
export const SCRAM_FIRST = `SCRAM-SHA-256 data=${btoa('n,,n=ann,r=rOprNGfwEbeRWgbNEkqO')}`;

/** Returns the Authorization field that answers the server-first-message (RFC 5802 §3). */
export function scramAnswer(challenge: string, password: string): string {
  const serverFirst = atob(param(challenge, 'data'));
  const [, nonce = '', salt = '', iterations = ''] = /^r=(.*),s=(.*),i=(.*)$/.exec(serverFirst) ?? [];
  const withoutProof = `c=biws,r=${nonce}`;
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
  const clientKey = hmac(salted, 'Client Key');
  const signature = hmac(
    createHash('sha256').update(clientKey).digest(),
    `n=ann,r=rOprNGfwEbeRWgbNEkqO,${serverFirst},${withoutProof}`,
  );
  const proof = clientKey.map((octet, index) => octet ^ (signature[index] ?? 0));
  const clientFinal = `${withoutProof},p=${Buffer.from(proof).toString('base64')}`;
  return `SCRAM-SHA-256 sid="${param(challenge, 'sid')}", data=${btoa(clientFinal)}`;
}

function param(challenge: string, name: string): string {
  return new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1] ?? '';
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
