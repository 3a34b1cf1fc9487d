/** The log line for a server that stops while clients are in the middle of something. */
export function waitingMessage(clients: number, signal: string): string {
  const waiting = `waiting for ${clients} ${clients === 1 ? 'client' : 'clients'}`;
  return signal === 'SIGINT' ? `${waiting}, Ctrl-C again to end` : waiting;
}
