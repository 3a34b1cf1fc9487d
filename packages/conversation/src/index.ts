import './supported-node.ts';

export { type Clock, systemClock } from './clock.ts';
export { Conversation, type ConversationOptions, type HeardMessage, type Protocol } from './conversation.ts';
export { Deadlines } from './deadlines.ts';
export { BareLineEnding, Closing, ConversationError, LineTooLong, PeerGone, TimedOut } from './errors.ts';
export type { LineError } from './input.ts';
export type { LineListener } from './line-loop.ts';
export { LineNormalizer } from './line-normalizer.ts';
export { release } from './release.ts';
export { type Enrolled, Roll } from './roll.ts';
export type { Take } from './sink.ts';
export type {
  Address,
  MaybePromise,
  PeerCertificate,
  TlsFacts,
  TlsPolicy,
  Transport,
  TransportListener,
} from './transport.ts';
export { Warnings } from './warnings.ts';
