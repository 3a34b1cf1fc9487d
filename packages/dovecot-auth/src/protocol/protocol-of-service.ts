/**
 * Returns the protocol of a service that a mail server names, as users' scopes name protocols.
 * Returns undefined for an unknown service.
 */
export function protocolOfService(service: string | undefined): string | undefined {
  return service === undefined ? undefined : PROTOCOLS.get(service);
}

const PROTOCOLS: ReadonlyMap<string, string> = new Map([
  ['smtp', 'smtp'],
  ['submission', 'smtp'],
  ['lmtp', 'lmtp'],
  ['imap', 'imap'],
  ['pop3', 'pop3'],
  ['pop', 'pop3'],
  ['sieve', 'managesieve'],
  ['managesieve', 'managesieve'],
]);
