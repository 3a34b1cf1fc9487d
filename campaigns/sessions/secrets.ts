import { USERS } from './users.ts';

export const RIGHT_PASSWORD = 'right-Secret-1';
export const WRONG_PASSWORD = 'wrong-Secret-2';
/** The password of the master user at the back ends. */
export const BACK_END_PASSWORD = 'master-Secret-3';

/** What must never be in a log: passwords as they are, and as they are sent. */
export const SECRETS: readonly string[] = [RIGHT_PASSWORD, WRONG_PASSWORD, BACK_END_PASSWORD].flatMap((password) => [
  password,
  base64(password),
  ...USERS.map((user) => base64(`\0${user}\0${password}`)),
]);

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
