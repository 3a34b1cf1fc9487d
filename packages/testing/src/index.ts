export type { ContractCase } from './contracts/case.ts';
export { type CheckerContract, checkerContract, type KnownUser } from './contracts/checker.ts';
export { type FailureCountsContract, failureCountsContract } from './contracts/failure-counts.ts';
export {
  type MailDirectoryContract,
  type MailDirectoryUnderTest,
  mailDirectoryContract,
} from './contracts/mail-directory.ts';
export { type MailboxContract, type MailboxUnderTest, mailboxContract } from './contracts/mailbox.ts';
export { type MechanismContract, mechanismContract } from './contracts/mechanism.ts';
export {
  type DeliveryFault,
  type DeliveryUnderTest,
  type MessageDeliveryContract,
  messageDeliveryContract,
} from './contracts/message-delivery.ts';
export { type RealmContract, realmContract } from './contracts/realm.ts';
export { type TransportContract, type TransportPair, transportContract } from './contracts/transport.ts';
export {
  type BreakableUserStore,
  type UserStoreContract,
  type UserStoreFault,
  type UserStoreUnderTest,
  userStoreContract,
} from './contracts/user-store.ts';
export type { UserStorePart } from './contracts/user-store-rules.ts';
export { DialogueMismatch, type DialogueOptions, dialogue } from './dialogue.ts';
export { type DialogueFile, dialogueFiles } from './dialogue-files.ts';
export { type ExchangeOptions, type ExchangeRecord, exchange } from './exchange.ts';
export { FakeClock, settle } from './fake-clock.ts';
export { type MemoryPipe, type MemoryPipeOptions, type MemoryTransport, memoryPipe } from './memory-pipe.ts';
export type { Value } from './placeholders.ts';
export { portalFor, TestAvatar } from './portal-for.ts';
export { listenTo, readChunk } from './raw-transport.ts';
export type { Slicing } from './slicing.ts';
export { testMind } from './test-mind.ts';
