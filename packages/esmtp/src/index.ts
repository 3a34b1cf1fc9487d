export { type ForwardPath, Mailbox, parseMailbox, type ReversePath } from './address.ts';
export type { Verb } from './command.ts';
export { type Decision, decide } from './decisions/decide.ts';
export { accept, challenge, defer, type ReplyOptions, reject, type Verdict } from './decisions/verdicts.ts';
export {
  KnownRecipientsDelivery,
  type KnownRecipientsDeliveryOptions,
} from './deliveries/known-recipients-delivery.ts';
export { LineMessage } from './deliveries/line-message.ts';
export { type OwnAddresses, OwnSenderDelivery, type OwnSenderDeliveryOptions } from './deliveries/must-match-sender.ts';
export { NotifyingDelivery, type NotifyingDeliveryOptions } from './deliveries/notifying.ts';
export { PerRecipientDelivery, type PerRecipientDeliveryOptions, type Route } from './deliveries/per-recipient.ts';
export {
  type Envelope,
  type MailParameters,
  type Message,
  MessageDelivery,
  type NextHop,
  type RcptParameters,
  type ReceivedTrace,
  type Recipient,
  type RecipientResult,
  type ReportResult,
} from './delivery.ts';
export { isAddressLiteral, isDomain } from './domain.ts';
export type { Notify } from './dsn.ts';
export { type EsmtpOptions, esmtp, type OptionalExtension, optionalExtensions } from './esmtp.ts';
export type { EsmtpEvent, EventListener, FailedRecipient } from './events.ts';
export { type ForwardedInfo, forwardedInfo, type HostAddress } from './forwarded.ts';
export { defaultLimits, type Limits, withDefaults as withDefaultLimits } from './limits.ts';
export { formatAddress } from './log/entry-of.ts';
export { formatLogFields, type LogFields } from './log/format-line.ts';
export { type Logger, type LogToOptions, logTo } from './log/log-to.ts';
export { printable } from './log/printable.ts';
export { LoginDeferral, LoginRejection, type LoginReplyOptions } from './login-refusal.ts';
export { foldMailbox, withoutSubaddress } from './mailbox-identity.ts';
export type { NextHopReply } from './next-hops.ts';
export { formatReceived } from './received.ts';
export { AliasError } from './recipients/alias-error.ts';
export type { AliasEntry } from './recipients/aliases.ts';
export { LocalRecipients, type LocalRecipientsOptions, type RecipientLookup } from './recipients/local-recipients.ts';
export type { RecipientResolver, Resolution } from './recipients/recipient-resolver.ts';
export { Rejection, Reply } from './reply.ts';
export { type Policy, type Service, services } from './services.ts';
