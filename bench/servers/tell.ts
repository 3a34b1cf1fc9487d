/** The work of a server since its start. The bench compares it with the load generator's counts. */
export interface Counts {
  messages: number;
  /** The octets of message data, without dot stuffing where the server removes it. */
  octets: number;
}

/**
 * Sends the port to the bench, then the counts for each question; null from a server that does not
 * count. The process ends with the bench.
 */
export function tell(port: number, counts: Counts | null = null): void {
  process.on('message', (question) => {
    if (question === 'collect') collect();
    process.send?.(counts);
  });
  process.on('disconnect', () => process.exit());
  process.send?.(port);
}

/** Collects twice: the second collection frees the objects that the first one finalizes. */
export function collect(): void {
  globalThis.gc?.();
  globalThis.gc?.();
}
