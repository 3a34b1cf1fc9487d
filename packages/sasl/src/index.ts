export type { Ask } from '@postern/cred';
export { type Authentication, authenticate } from './authenticate.ts';
export { EMPTY, utf8 } from './bytes.ts';
export type { Challenger } from './challenger.ts';
export { ExchangeCancelled, ExchangeError, MalformedResponse, type Malformation } from './errors.ts';
export { explain, type OfferPolicy, offered } from './offered.ts';
