import { isUtf8 } from 'node:buffer';

/** One line of a file, or the fault for which it cannot be read. */
export type Line = { readonly text: string } | { readonly fault: string };

/**
 * Splits the octets of a file into lines of text, which end with LF or CRLF. A line is at most
 * 65,536 octets; the splitter drops the octets of a longer one as they arrive.
 */
export class LineSplitter {
  /** The octets of the line that has not ended yet. */
  #rest: Buffer = Buffer.alloc(0);
  #tooLong = false;
  #first = true;

  /** Returns the lines that end in this chunk. */
  *push(chunk: Uint8Array): Generator<Line> {
    const octets = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = octets.indexOf(LF); end >= 0; end = octets.indexOf(LF, start)) {
      yield this.#endLine(octets.subarray(start, end));
      start = end + 1;
    }
    this.#append(octets.subarray(start));
  }

  /** Returns a line that the file ends with before its line end. */
  end(): Line | undefined {
    if (this.#rest.length === 0 && !this.#tooLong) return undefined;
    this.#reset();
    return { fault: 'has no line end, so the file may be cut off; expected LF at the end of the last line' };
  }

  #endLine(tail: Buffer): Line {
    if (this.#rest.length === 0 && !this.#tooLong) return this.#read(tail);
    this.#append(tail);
    const [line, tooLong] = [this.#rest, this.#tooLong];
    this.#reset();
    return tooLong ? { fault: TOO_LONG } : this.#read(line);
  }

  #append(octets: Buffer): void {
    this.#tooLong ||= this.#rest.length + octets.length > MAX_LINE_OCTETS;
    // A copy: the chunk belongs to the caller, who may read the next one into it.
    this.#rest = this.#tooLong ? Buffer.alloc(0) : Buffer.concat([this.#rest, octets]);
  }

  #reset(): void {
    this.#rest = Buffer.alloc(0);
    this.#tooLong = false;
  }

  #read(line: Buffer): Line {
    const bom = this.#first && line.subarray(0, BOM.length).equals(BOM);
    this.#first = false;
    if (line.length > MAX_LINE_OCTETS) return { fault: TOO_LONG };
    if (!isUtf8(line)) return { fault: 'is not UTF-8; convert the file, such as by iconv -f latin1 -t utf-8' };
    const text = line.toString('utf8', bom ? BOM.length : 0, line.at(-1) === CR ? line.length - 1 : line.length);
    // A file system fills a file with NULs if the machine stops while a program writes it.
    if (/[\0\r]/.test(text)) return { fault: 'holds a NUL or a CR; expected lines of text that end with LF' };
    return { text };
  }
}

const LF = 10;
const CR = 13;
const BOM = Buffer.from('\uFEFF');
const MAX_LINE_OCTETS = 65_536;
const TOO_LONG = `is longer than ${MAX_LINE_OCTETS} octets; expected one user a line`;
