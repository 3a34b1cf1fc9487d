/** The operator asked for something that cannot be: the message names the option and says what was expected. Exit code 2. */
export class UsageError extends Error {
  override get name(): string {
    return 'UsageError';
  }
}
