import './supported-node.ts';

export { type Address, isLocal, networkOf, siteOf } from './address.ts';
export { afterExactly, type Clock, systemClock } from './clock.ts';
export { DenseSet, type Indexed } from './dense-set.ts';
export type { Disconnection, DisconnectListener } from './disconnection.ts';
export { ExpiringMap } from './expiring-map.ts';
export { after, isPromise, type MaybePromise, orAborted, settled, toPromise } from './maybe-promise.ts';
export { parseAddress } from './parse-address.ts';
export type { ChannelBindingType, PeerCertificate, TlsInfo } from './tls-info.ts';
