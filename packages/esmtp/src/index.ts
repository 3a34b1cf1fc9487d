export {
  type EntryWriter,
  formatAddress,
  formatLogFields,
  type LogFields,
  type Logger,
  type LogLevel,
  printable,
} from '@postern/sasl-profile';
export { type Decision, decide } from './decisions/decide.ts';
export { accept, challenge, defer, type ReplyOptions, reject, type Verdict } from './decisions/verdicts.ts';
export { ForwardingDelivery } from './deliveries/forwarding-delivery.ts';
export {
  type DeliveredMessage,
  InMemoryDelivery,
  type InMemoryDeliveryOptions,
} from './deliveries/in-memory-delivery.ts';
export {
  KnownRecipientsDelivery,
  type KnownRecipientsDeliveryOptions,
} from './deliveries/known-recipients-delivery.ts';
export { LineMessage } from './deliveries/line-message.ts';
export { NotifyingDelivery, type NotifyingDeliveryOptions } from './deliveries/notifying-delivery.ts';
export {
  type OwnAddresses,
  OwnSenderDelivery,
  type OwnSenderDeliveryOptions,
} from './deliveries/own-sender-delivery.ts';
export { ownsSender } from './deliveries/owns-sender.ts';
export {
  PerRecipientDelivery,
  type PerRecipientDeliveryOptions,
  type Route,
} from './deliveries/per-recipient-delivery.ts';
export {
  type EndResult,
  type Envelope,
  type Message,
  MessageDelivery,
  type NextHop,
  type ReceivedTrace,
  type Recipient,
  type RecipientResult,
  type ReportResult,
} from './delivery.ts';
export { type EsmtpOptions, esmtp, type OptionalExtension, optionalExtensions } from './esmtp.ts';
export type { EsmtpEvent, EventListener, FailedRecipient, NextHopReply } from './events.ts';
export { type LogToOptions, logTo } from './log/log-to.ts';
export { LoginDeferral, LoginRejection, type LoginReplyOptions } from './login-rejection.ts';
export { type HeaderListener, HeaderReader } from './message/header-reader.ts';
export { formatReceived } from './message/received.ts';
export { type ForwardPath, Mailbox, parseMailbox, type ReversePath } from './protocol/address.ts';
export type { Verb } from './protocol/command.ts';
export { isAddressLiteral, isDomain } from './protocol/domain.ts';
export { type ForwardedInfo, forwardedInfo, type HostAddress } from './protocol/forwarded.ts';
export { defaultLimits, type Limits, withDefaultLimits } from './protocol/limits.ts';
export { foldMailbox, withoutSubaddress } from './protocol/mailbox-identity.ts';
export type { MailParameters, Notify, RcptParameters } from './protocol/parameters.ts';
export { Rejection, Reply } from './protocol/reply.ts';
export { type Policy, type Service, services } from './protocol/services.ts';
export { type AliasEntry, AliasError } from './recipients/aliases.ts';
export {
  LocalRecipients,
  type LocalRecipientsOptions,
  type RecipientLookup,
  type RecipientResolver,
  type Resolution,
} from './recipients/local-recipients.ts';
