import type { Endpoint } from '@postern/node';

/** True if only clients on this machine can come to the endpoint. */
export function isLocalOnly(endpoint: Endpoint): boolean {
  if ('path' in endpoint) return true;
  const { host } = endpoint;
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
