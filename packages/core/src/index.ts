import './supported-node.ts';

export type { Address } from './address.ts';
export { afterExactly, type Clock, systemClock } from './clock.ts';
export { DenseSet, type Indexed } from './dense-set.ts';
export { after, isPromise, type MaybePromise, settled } from './maybe-promise.ts';
export { networkOf, siteOf } from './network-of.ts';
