export type { RelayClient } from './client-keys.ts';
export { Congested, RelayError, SpoolFailed, SpoolFull, Unreachable } from './errors.ts';
export type { Lease } from './lease.ts';
export { type RelayOptions, relay } from './relay.ts';
export { RelayDelivery } from './relay-delivery.ts';
export { Smarthost, type SmarthostOptions, type SmarthostTls } from './smarthost.ts';
