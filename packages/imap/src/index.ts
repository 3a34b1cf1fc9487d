export { ImapBackEnd, type ImapBackEndOptions } from './back-end/imap-back-end.ts';
export type { EventListener, ImapEvent } from './events.ts';
export { type ImapOptions, imap } from './imap.ts';
export { type LogToOptions, logTo } from './log/log-to.ts';
export type { Verb } from './protocol/command.ts';
export type { Limits } from './protocol/limits.ts';
