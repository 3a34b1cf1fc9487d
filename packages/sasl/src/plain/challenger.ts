import { after } from '@postern/core';
import { UsernamePassword } from '@postern/cred';
import { NO_BYTES } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { STRENGTH } from '../strength.ts';
import { usernamePassword } from '../username-password.ts';

/**
 * Returns the challenger of PLAIN (RFC 4616): `[authzid] NUL authcid NUL passwd`, in one message.
 */
export function plain(): Challenger<UsernamePassword> {
  return {
    mechanism: 'PLAIN',
    credentials: UsernamePassword,
    exposesSecret: true,
    strength: STRENGTH.password + 10,
    challenge: (ask, initialResponse) => after(initialResponse ?? ask(NO_BYTES), credentialsOf),
  };
}

function credentialsOf(message: Uint8Array): UsernamePassword {
  const first = message.indexOf(NUL);
  const second = message.indexOf(NUL, first + 1);
  if (first < 0 || second < 0 || message.includes(NUL, second + 1)) {
    throw new MalformedResponse('a PLAIN message has three fields, with NUL between them');
  }
  const authzid = first === 0 ? NO_BYTES : message.subarray(0, first);
  return usernamePassword(message.subarray(first + 1, second), message.subarray(second + 1), authzid);
}

const NUL = 0;
