/** The server cannot start, and not because of how its options are written: the message is a sentence for the operator. Exit code 1. */
export class StartError extends Error {
  override get name(): string {
    return 'StartError';
  }
}
