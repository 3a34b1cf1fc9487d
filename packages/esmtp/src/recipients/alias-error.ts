/** An alias cannot be used: it leads back to itself, to nobody, or to too many. */
export class AliasError extends Error {
  /** The name of the alias, as its table has it. */
  readonly alias: string;

  constructor(alias: string, message: string) {
    super(`alias ${alias}: ${message}`);
    this.alias = alias;
  }

  override get name(): string {
    return 'AliasError';
  }
}
