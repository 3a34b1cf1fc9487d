/** What a server has done since it started; the bench compares it with what the load generator was told. */
export interface Counts {
  messages: number;
  /** Of message data, without dot stuffing where the server removes it. */
  octets: number;
}

/** Tells the bench the port, and from then on what it asks for. The process ends with the bench. */
export function tell(port: number, counts: Counts): void {
  process.on('message', (question) => {
    if (question === 'collect') collect();
    process.send?.(counts);
  });
  process.on('disconnect', () => process.exit());
  process.send?.(port);
}

/** Twice: what the first collection finalizes only the second one frees. */
function collect(): void {
  globalThis.gc?.();
  globalThis.gc?.();
}
