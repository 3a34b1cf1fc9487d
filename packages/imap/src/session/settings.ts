import type { ProxySettings } from '@postern/sasl-profile';
import type { ImapBackEnd } from '../back-end/imap-back-end.ts';
import type { Verb } from '../protocol/command.ts';
import type { Limits } from '../protocol/limits.ts';

/** The options of a server with all defaults, for each of its sessions. */
export type Settings = ProxySettings<ImapBackEnd, Verb, Limits>;
