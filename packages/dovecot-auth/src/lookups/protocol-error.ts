/** The mail server does not speak the protocol. The connection closes without a reply. */
export class ProtocolError extends Error {
  override get name(): string {
    return 'ProtocolError';
  }
}
