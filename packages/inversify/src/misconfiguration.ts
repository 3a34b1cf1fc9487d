/** The bindings do not make a server. Each problem names its binding. */
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

/** The problem of a server without a bound hostname. */
export const NO_HOSTNAME = 'hostname: none is bound; bind identifiers.Hostname';
