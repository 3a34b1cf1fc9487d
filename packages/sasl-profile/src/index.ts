export { Base64Framing, type FramingOptions } from './base64-framing.ts';
export { type ChallengerOffer, type ChosenChallenger, chooseChallenger } from './choose-challenger.ts';
export { ConversationMind } from './conversation-mind.ts';
export { type EntryWriter, FieldCollector, formatAddress, type LogLevel } from './log/entry-writer.ts';
export { type EventLogOptions, eventLog, type Logger } from './log/event-log.ts';
export { formatLogFields, type LogFields, printable } from './log/format-log-fields.ts';
export { beginEntry, boundedText, formatUser, writeSessionEntry } from './log/write-session-entry.ts';
export { type FailurePolicy, LoginFailures } from './login-failures.ts';
export { type LoginOutcome, type LoginOverOptions, loginOver } from './login-over.ts';
export { MechanismOffer } from './mechanism-offer.ts';
export { ClientSession, type SessionLogin, type SessionSettings } from './session/client-session.ts';
export { EventReporter } from './session/event-reporter.ts';
export { Refusal, type RefusalOptions } from './session/refusal.ts';
export { type SessionDialogue, serveSession } from './session/serve-session.ts';
export type { AnySessionEvent, SessionEvent, SessionListener } from './session/session-event.ts';
export {
  completeLimits,
  defaultFailurePolicy,
  minimalSessionLimits,
  type SessionLimits,
} from './session/session-limits.ts';
