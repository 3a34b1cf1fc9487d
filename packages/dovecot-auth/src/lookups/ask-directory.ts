import { isPromise, type MaybePromise } from '@postern/core';
import type { Credentials, Login, Mind, Portal } from '@postern/cred';
import { MailDirectory } from '../mail-directory.ts';

/**
 * Logs in, passes the directory of the user to `question`, and logs out. Returns the answer:
 * synchronously unless the portal or the directory waits.
 *
 * @throws LoginError, and any error of the directory; either may be a rejection
 */
export function askDirectory<T>(
  portal: Portal,
  credentials: Credentials,
  mind: Mind,
  question: (directory: MailDirectory) => MaybePromise<T>,
): MaybePromise<T> {
  const login = portal.login(credentials, mind, MailDirectory);
  return isPromise(login) ? login.then((later) => askAndLogOut(later, question)) : askAndLogOut(login, question);
}

function askAndLogOut<T>(
  login: Login<MailDirectory>,
  question: (directory: MailDirectory) => MaybePromise<T>,
): MaybePromise<T> {
  let answer: MaybePromise<T>;
  try {
    answer = question(login.avatar);
  } catch (error) {
    answer = Promise.reject(error);
  }
  if (isPromise(answer)) return answerAfterLogout(login, answer);
  const loggedOut = login.logout();
  return loggedOut === undefined ? answer : answerAfterLogout(login, answer);
}

/** An answer stays right if the logout fails. The portal bounds the time of the logout. */
async function answerAfterLogout<T>(login: Login<MailDirectory>, answer: MaybePromise<T>): Promise<T> {
  try {
    return await answer;
  } finally {
    await Promise.resolve(login.logout()).catch(() => {});
  }
}
