import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { Address, Standing, TlsPolicy, Transport, TransportListener } from '@postern/conversation';

/** The octets of one client's write, or a function from the reply before to them. */
export type Step = Uint8Array | ((reply: string) => Uint8Array);

/** Returns the step with an index; undefined at the end of the client's script. */
export type Script = (index: number) => Step | undefined;

/**
 * A transport whose peer sends one step after each write of the server, in a microtask. The
 * transport allocates few octets, unlike a memory pipe.
 */
export class ScriptedClient implements Transport {
  readonly local: Address = SERVER;
  readonly remote: Address;
  readonly tlsPolicy: TlsPolicy = 'none';
  readonly tls = undefined;
  listener: TransportListener | undefined;
  readonly #script: Script;
  #index = 0;
  #incoming: Uint8Array | undefined;
  #isAwaited = false;
  #isClosed = false;

  constructor(script: Script, port: number) {
    this.#script = script;
    this.remote = { family: 'IPv4', address: '127.0.0.1', port };
  }

  read(): Uint8Array | 'later' | 'ended' {
    const incoming = this.#incoming;
    this.#incoming = undefined;
    this.#isAwaited = incoming === undefined && !this.#isClosed;
    return incoming ?? (this.#isClosed ? 'ended' : 'later');
  }

  write(reply: Uint8Array | string): void {
    const text = typeof reply === 'string' ? reply : Buffer.from(reply).toString('latin1');
    if (!text.startsWith('2') && !text.startsWith('3')) throw new Error(`step ${this.#index}: ${text}`);
    const step = this.#script(this.#index++);
    if (step === undefined) return;
    // The reader may overwrite the octets.
    this.#incoming = Uint8Array.prototype.slice.call(typeof step === 'function' ? step(text) : step);
    queueMicrotask(this.#arrive);
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    queueMicrotask(this.#arrive);
    queueMicrotask(this.#close);
  }

  setStanding(_standing: Standing): void {}

  readonly #arrive = (): void => {
    if (!this.#isAwaited || (this.#incoming === undefined && !this.#isClosed)) return;
    this.#isAwaited = false;
    this.listener?.onInput();
  };

  readonly #close = (): void => {
    this.listener?.onEnd();
    this.listener?.onClose();
  };
}

/** Returns the two steps of a SCRAM-SHA-256 login that answer the server (RFC 5802 §5). */
export function scramSteps(username: string, password: string): readonly [Uint8Array, Step, Uint8Array] {
  const clientFirst = `n=${username},r=client-nonce`;
  let keys: { readonly salt: string; readonly clientKey: Buffer; readonly storedKey: Buffer } | undefined;
  const clientFinal = (reply: string): Uint8Array => {
    const serverFirst = Buffer.from(reply.slice('334 '.length), 'base64').toString('latin1');
    const [, nonce = '', salt = '', iterations = ''] = /^r=(.*),s=(.*),i=(.*)$/.exec(serverFirst) ?? [];
    if (keys?.salt !== salt) keys = { salt, ...scramKeys(password, salt, Number(iterations)) };
    const withoutProof = `c=biws,r=${nonce}`;
    const signature = createHmac('sha256', keys.storedKey)
      .update(`${clientFirst},${serverFirst},${withoutProof}`)
      .digest();
    const { clientKey } = keys;
    const proof = signature.map((octet, index) => octet ^ (clientKey[index] ?? 0));
    return line(base64(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`));
  };
  return [line(`AUTH SCRAM-SHA-256 ${base64(`n,,${clientFirst}`)}`), clientFinal, line('')];
}

function scramKeys(password: string, salt: string, iterations: number) {
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  return { clientKey, storedKey: createHash('sha256').update(clientKey).digest() };
}

export function line(text: string): Uint8Array {
  return Buffer.from(`${text}\r\n`);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

const SERVER: Address = { family: 'IPv4', address: '127.0.0.1', port: 587 };
