export { MailDirectory } from './mail-directory.ts';
