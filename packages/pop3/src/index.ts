export { MailboxInUse, MessageGone } from './errors.ts';
export { Mailbox, type MessageContent, type MessageInfo } from './mailbox.ts';
