export { Base64Framing, type FramingOptions } from './base64-framing.ts';
export {
  type ChallengerOffer,
  type ChosenChallenger,
  chooseChallenger,
  type OfferObstacle,
} from './choose-challenger.ts';
export { ConversationMind } from './conversation-mind.ts';
export { type EntryWriter, FieldCollector, formatAddress, type LogLevel } from './log/entry-writer.ts';
export { type EventLogOptions, eventLog, type Logger } from './log/event-log.ts';
export { formatLogFields, type LogFields, printable } from './log/format-log-fields.ts';
export { writeProxyEntry } from './log/write-proxy-entry.ts';
export { beginEntry, boundedText, formatUser, writeSessionEntry } from './log/write-session-entry.ts';
export { type FailurePolicy, LoginFailures } from './login-failures.ts';
export { type LoginOutcome, type LoginOverOptions, loginOver } from './login-over.ts';
export { type LoginRefusal, loginRefusalOf } from './login-refusal.ts';
export { MechanismOffer } from './mechanism-offer.ts';
export {
  type ChallengersOption,
  type OfferByHostname,
  type OfferOptions,
  offerByHostname,
} from './offer-by-hostname.ts';
export { BackEnd, type BackEndOptions, BackEndUnavailable } from './proxy/back-end.ts';
export { type BackEndAccount, BackEndCredentials } from './proxy/back-end-account.ts';
export type { ProxiedEvent } from './proxy/proxied-event.ts';
export { type ProxyEvent, ProxySession, type ProxySettings } from './proxy/proxy-session.ts';
export { type LoginCommand, readyChallenger } from './ready-challenger.ts';
export { checkCheckers, checkRealm } from './session/check-portal.ts';
export { ClientSession, type FailedLogin, type SessionLogin, type StartTlsObstacle } from './session/client-session.ts';
export { type ClosingReason, closingReasonOf, logoutReasonOf } from './session/closing-reason.ts';
export { EventReporter } from './session/event-reporter.ts';
export { checkHostname, HostnameFailed, type HostnameOption } from './session/hostname.ts';
export { countJunk, type JunkPenalty, type JunkSender } from './session/junk-commands.ts';
export { Refusal, type RefusalOptions } from './session/refusal.ts';
export { type ErrorReporter, type FailedOperation, reportError } from './session/report-error.ts';
export { type AuthCommand, runAuth } from './session/run-auth.ts';
export { runStartTls, type StartTlsCommand } from './session/run-start-tls.ts';
export { type SessionDialogue, serveSession } from './session/serve-session.ts';
export type { AnySessionEvent, SessionEvent, SessionListener } from './session/session-event.ts';
export {
  completeLimits,
  defaultSessionLimits,
  minimalSessionLimits,
  type SessionLimits,
} from './session/session-limits.ts';
export {
  type ProtocolTraits,
  type SessionOptions,
  type SessionSettings,
  sessionSettings,
} from './session/session-settings.ts';
export { hearStrings, refuseWithLiterals, type StringRules } from './strings/hear-strings.ts';
export { type Literal, literalAtEnd, quote, readStrings, type StringsOfLine } from './strings/read-strings.ts';
