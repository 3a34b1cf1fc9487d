export type { FileSystem } from './file-system.ts';
export { folderName } from './folder-name.ts';
export { MaildirDelivery, type MaildirOptions } from './maildir-delivery.ts';
export type { Quota } from './quota.ts';
