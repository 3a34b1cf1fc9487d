import './supported-node.ts';

export { type Address, isLocal, networkOf, siteOf } from './address.ts';
export { afterExactly, type Clock, systemClock } from './clock.ts';
export { DenseSet, type Indexed } from './dense-set.ts';
export { ExpiringMap } from './expiring-map.ts';
export { after, isPromise, type MaybePromise, orAborted, settled } from './maybe-promise.ts';
export type { ChannelBindingType, PeerCertificate, TlsInfo } from './tls-info.ts';
