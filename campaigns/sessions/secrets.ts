import { USERS } from './users.ts';

export const RIGHT_PASSWORD = 'right-Secret-1';
export const WRONG_PASSWORD = 'wrong-Secret-2';

/** What must never be in a log: passwords as they are, and as they are sent. */
export const SECRETS: readonly string[] = [RIGHT_PASSWORD, WRONG_PASSWORD].flatMap((password) => [
  password,
  base64(password),
  ...USERS.map((user) => base64(`\0${user}\0${password}`)),
]);

export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
