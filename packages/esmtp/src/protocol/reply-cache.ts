import { Reply } from './reply.ts';

/** A reply of many lines, which are nearly always the same as the last time: then it is the same reply. */
export class ReplyCache {
  readonly #code: number;
  #last: Reply | undefined;

  constructor(code: number) {
    this.#code = code;
  }

  of(lines: readonly string[]): Reply {
    const last = this.#last;
    if (last?.lines.length === lines.length && last.lines.every((line, at) => line === lines[at])) return last;
    this.#last = new Reply(this.#code, undefined, ...lines);
    return this.#last;
  }
}
