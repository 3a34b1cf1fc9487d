export type {
  Address,
  ChannelBindingType,
  Clock,
  Disconnection,
  DisconnectListener,
  MaybePromise,
  PeerCertificate,
  TlsInfo,
} from '@postern/core';
export { BufferPool } from './buffer-pool.ts';
export { Conversation, type Protocol } from './conversation.ts';
export type { ConversationOptions } from './conversation-options.ts';
export { Deadlines, type Wait } from './deadlines.ts';
export { DotStuffer } from './dot-stuffer.ts';
export { BareLineEnding, Closing, ConversationError, Displaced, LineTooLong, PeerGone, TimedOut } from './errors.ts';
export type { HeardMessage, MessageReceiver } from './heard-message.ts';
export type { LineEnding, LineError } from './input.ts';
export type { LineListener, LineServer, PendingLine } from './line-loop.ts';
export { LineNormalizer } from './line-normalizer.ts';
export { MemoryAccount, MemoryBudget, type MemoryBudgetOptions, type MemoryShortage } from './memory-budget.ts';
export type { PassThroughEnd, PassThroughOptions } from './pass-through.ts';
export type { ChunkConsumer } from './piece-receiver.ts';
export { release } from './release.ts';
export type {
  Standing,
  TlsPolicy,
  Transport,
  TransportListener,
} from './transport.ts';
export { TurnQueue } from './turn-queue.ts';
export { Warnings } from './warnings.ts';
