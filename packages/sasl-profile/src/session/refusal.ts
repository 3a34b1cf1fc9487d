/** The optional properties of a {@link Refusal}. */
export interface RefusalOptions {
  /** True closes the connection behind the reply. Default: false. */
  readonly closes?: boolean;
  /**
   * False for a refusal that is no error of the client: it does not count towards `maxErrors`.
   * Default: true.
   */
  readonly counts?: boolean;
  /**
   * True if an event has reported the refusal. Default: false, and `command-refused` reports it.
   */
  readonly isReported?: boolean;
}

/** A command is refused with this reply. A command of `serveSession` throws it. */
export class Refusal extends Error {
  /** The reply without its last CRLF. */
  readonly reply: string;
  readonly closes: boolean;
  readonly counts: boolean;
  readonly isReported: boolean;

  constructor(reply: string, { closes = false, counts = true, isReported = false }: RefusalOptions = {}) {
    super(reply);
    this.reply = reply;
    this.closes = closes;
    this.counts = counts;
    this.isReported = isReported;
  }

  override get name(): string {
    return 'Refusal';
  }
}
