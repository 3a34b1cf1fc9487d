import { ProtocolError } from '../lookups/protocol-error.ts';

/** Reads netstrings, `LENGTH:OCTETS,`, from octets that arrive in pieces. */
export class NetstringReader {
  readonly #maxOctets: number;
  #digits = '';
  /** The octets of the netstring; undefined before its colon. */
  #octets: Buffer | undefined;
  #filled = 0;
  #isFinished = false;

  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets;
  }

  /** True between two netstrings. */
  get isIdle(): boolean {
    return this.#digits === '' && this.#octets === undefined;
  }

  /**
   * Takes octets up to the end of one netstring, and returns their number.
   *
   * @throws ProtocolError for octets that are no netstring, and for one of too many octets.
   */
  take(octets: Buffer): number {
    let taken = 0;
    while (this.#octets === undefined && taken < octets.length) this.#takeDigit(octets[taken++] as number);
    if (this.#octets === undefined) return taken;
    const missing = this.#octets.length - this.#filled;
    const copied = octets.copy(this.#octets, this.#filled, taken, taken + missing);
    this.#filled += copied;
    taken += copied;
    if (copied < missing || taken === octets.length) return taken;
    if (octets[taken] !== COMMA) throw new ProtocolError('a netstring without a comma at its end');
    this.#isFinished = true;
    return taken + 1;
  }

  /** Returns the octets of a netstring that is complete, once. */
  finished(): Buffer | undefined {
    if (!this.#isFinished) return undefined;
    const octets = this.#octets;
    this.#digits = '';
    this.#octets = undefined;
    this.#filled = 0;
    this.#isFinished = false;
    return octets;
  }

  #takeDigit(octet: number): void {
    if (octet === COLON && this.#digits !== '') {
      this.#octets = Buffer.allocUnsafe(Number(this.#digits));
      return;
    }
    // A length has no leading zeros, except for 0 itself.
    if (octet < DIGIT_0 || octet > DIGIT_9 || this.#digits === '0') {
      throw new ProtocolError('octets that are no netstring');
    }
    this.#digits += String.fromCharCode(octet);
    if (Number(this.#digits) > this.#maxOctets) {
      throw new ProtocolError(`a netstring of more than ${this.#maxOctets} octets`);
    }
  }
}

/** Returns the text as a netstring. */
export function formatNetstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`;
}

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const COLON = 0x3a;
const COMMA = 0x2c;
