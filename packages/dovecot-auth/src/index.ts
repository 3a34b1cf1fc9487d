export { type DovecotAuthOptions, dovecotAuth } from './dovecot-auth.ts';
export type { DovecotAuthEvent, DovecotAuthListener } from './events.ts';
export { logTo } from './log/log-to.ts';
export { MailDirectory } from './mail-directory.ts';
export type { Limits } from './protocol/limits.ts';
