/** The bindings do not make a server. Every problem names the binding that has it. */
export class Misconfiguration extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('; '), options);
    this.problems = problems;
  }

  override get name(): string {
    return 'Misconfiguration';
  }
}
