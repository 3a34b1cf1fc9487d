import { COLON, isBlank, isName, isNameCharacter } from './header-line.ts';

/**
 * Removes the fields `Bcc` and `Resent-Bcc` from a message's header, piece by piece, with their folded lines (RFC 5322 §3.6.3, §3.6.6).
 * A field of any length goes: only the beginning of one line is ever held, until its name is known. The header ends at the first line
 * that is no field, as `HeaderCompletion` has it; all behind that passes as it is.
 */
export class BccRemoval {
  #isOver = false;
  #isFirstLine = true;
  #atLineStart = true;
  /** True while the lines belong to a field that is removed. */
  #removes = false;
  /** A copy of the beginning of a line whose name is not known yet. */
  #held: Uint8Array = NO_OCTETS;

  /** Returns what is known to stay: the piece itself if that is all of it. Overwrites the piece where a field is removed. */
  push(piece: Uint8Array): Uint8Array {
    if (this.#isOver) return piece;
    const bytes = this.#held.length === 0 ? piece : Buffer.concat([this.#held, piece]);
    this.#held = NO_OCTETS;
    let at = 0;
    let kept = 0;
    while (at < bytes.length) {
      if (this.#atLineStart && !this.#readName(bytes, at)) {
        this.#held = bytes.slice(at);
        break;
      }
      const lineFeed = this.#isOver ? -1 : bytes.indexOf(LF, at);
      const end = lineFeed < 0 ? bytes.length : lineFeed + 1;
      if (!this.#removes) {
        if (kept !== at) bytes.copyWithin(kept, at, end);
        kept += end - at;
      }
      this.#atLineStart = lineFeed >= 0;
      at = end;
    }
    return kept === bytes.length ? bytes : bytes.subarray(0, kept);
  }

  /** Returns what was held of a last line that never got its name. */
  end(): Uint8Array {
    return this.#held;
  }

  /** Decides about the line that begins there; false if more of it must come first. */
  #readName(bytes: Uint8Array, from: number): boolean {
    // A folded line belongs to the field before it.
    if (isBlank(bytes[from]) && !this.#isFirstLine) return true;
    let at = from;
    while (at < bytes.length && isNameCharacter(bytes[at] as number)) at++;
    const length = at - from;
    if (length > 0) {
      while (at < bytes.length && isBlank(bytes[at])) at++;
      if (at === bytes.length && at - from <= LONGEST_LINE) return false;
    }
    this.#isFirstLine = false;
    this.#isOver = length === 0 || bytes[at] !== COLON;
    this.#removes = !this.#isOver && NAMES.some((name) => name.length === length && isName(bytes, from, name));
    return true;
  }
}

const NO_OCTETS = new Uint8Array(0);
const LF = 0x0a;
const NAMES: readonly Uint8Array[] = ['bcc', 'resent-bcc'].map((name) => new TextEncoder().encode(name));

/** Octets of a line without its CRLF (RFC 5322 §2.1.1): a colon beyond them ends no field name. */
const LONGEST_LINE = 998;
