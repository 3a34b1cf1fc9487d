/** An answer to a command (RFC 5321 §4.2, RFC 3463): `250 2.1.5 OK`. */
export class Reply {
  /** Three digits. */
  readonly code: number;
  /** `class.subject.detail`; its class is the code's first digit. Undefined for greetings, EHLO and 3xx (RFC 2034 §4). */
  readonly enhanced: string | undefined;
  /** At least one; ASCII without line ends. */
  readonly lines: readonly string[];

  constructor(code: number, enhanced: string | undefined, ...lines: readonly string[]) {
    this.code = code;
    this.enhanced = enhanced;
    this.lines = lines;
  }
}

/** What a delivery throws to refuse: the reply goes to the client as it is. */
export class Rejection extends Error {
  readonly reply: Reply;

  constructor(code: number, enhanced: string, ...lines: readonly string[]) {
    super(`${code} ${enhanced} ${lines.join(' ')}`);
    this.reply = new Reply(code, enhanced, ...lines);
  }

  override get name(): string {
    return 'Rejection';
  }
}
