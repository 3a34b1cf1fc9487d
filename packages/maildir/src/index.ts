export type { FileSystem } from './file-system.ts';
export { folderName } from './folder-name.ts';
export { MaildirMailbox } from './mailbox/maildir-mailbox.ts';
export { MaildirDelivery, type MaildirOptions } from './maildir-delivery.ts';
export { type MailboxClient, MaildirMailboxes, type MaildirMailboxesOptions } from './maildir-mailboxes.ts';
export type { MailboxOptions } from './maildirs.ts';
export type { PermissionsOptions } from './permissions.ts';
export type { Quota } from './quota.ts';
