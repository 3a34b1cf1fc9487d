/** The parameters of yescrypt and scrypt that decide over memory and time. */
export interface YescryptParameters {
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly t: number;
}

/**
 * Reads the parameters of a setting of yescrypt (`$y$`, `$gy$`) or scrypt (`$7$`), as
 * `yescrypt_r` of yescrypt-common.c does. Returns undefined if they are malformed.
 */
export function readParameters(setting: string): YescryptParameters | undefined {
  const [, method, text = ''] = /^\$(y|gy|7)\$([./0-9A-Za-z]+)/.exec(setting) ?? [];
  const digits = new Digits(text);
  const parameters = method === '7' ? scryptParameters(digits) : yescryptParameters(digits);
  const { n, r, p } = parameters;
  return digits.missing || n < 2 || n > 2 ** 63 || r * p === 0 ? undefined : parameters;
}

/** `$7$`: the logarithm of N as one digit, r and p as five digits each, and the salt. */
function scryptParameters(digits: Digits): YescryptParameters {
  return { n: 2 ** digits.fixed(1), r: digits.fixed(5), p: digits.fixed(5), t: 0 };
}

/** `$y$`: the flavour, the logarithm of N, and r; then, if there is more, which, and each of it. */
function yescryptParameters(digits: Digits): YescryptParameters {
  digits.variable(0);
  const n = 2 ** digits.variable(1);
  const r = digits.variable(1);
  const have = digits.atEnd ? 0 : digits.variable(1);
  const p = have & 1 ? digits.variable(2) : 1;
  const t = have & 2 ? digits.variable(1) : 0;
  return { n, r, p, t };
}

/** Numbers in the base64 of crypt(3), whose digits are `./0-9A-Za-z`. */
class Digits {
  readonly #text: string;
  #offset = 0;
  /** True once a number was read beyond the end. */
  missing = false;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#offset >= this.#text.length;
  }

  /** Reads a number of `length` digits, the lowest first: `decode64_uint32_fixed`. */
  fixed(length: number): number {
    let value = 0;
    for (let index = 0; index < length; index++) value += this.#next() * 64 ** index;
    return value;
  }

  /** Reads a number from `min` on. Its first digit says how many follow: `decode64_uint32`. */
  variable(min: number): number {
    let value = min;
    let start = 0;
    let end = 47;
    let bits = 0;
    const first = this.#next();
    while (first > end) {
      value += (end + 1 - start) * 2 ** bits;
      start = end + 1;
      end = start + Math.floor((62 - end) / 2);
      bits += 6;
    }
    value += (first - start) * 2 ** bits;
    for (; bits > 0; bits -= 6) value += this.#next() * 2 ** (bits - 6);
    return value;
  }

  #next(): number {
    const digit = ALPHABET.indexOf(this.#text[this.#offset++] ?? ' ');
    if (digit < 0) this.missing = true;
    return Math.max(0, digit);
  }
}

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
