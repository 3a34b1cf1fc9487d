import type { MaybePromise } from '@postern/core';

/** Knows which users there are, without their passwords: a checker that implements it can tell who has a mailbox. */
export interface UserDirectory {
  /** Returns true if there is a user of this name, whatever its case. What it throws is a temporary failure. */
  readonly hasUser: (username: string) => MaybePromise<boolean>;
}

/** Returns true for an object that knows which users there are. */
export function isUserDirectory(value: object): value is UserDirectory {
  return 'hasUser' in value && typeof value.hasUser === 'function';
}
