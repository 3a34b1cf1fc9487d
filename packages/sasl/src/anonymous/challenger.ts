import { after } from '@postern/core';
import { Anonymous } from '@postern/cred';
import { NO_BYTES } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { responseText } from '../prepared-name.ts';
import { STRENGTH } from '../strength.ts';
import { isTrace } from './trace.ts';

/**
 * Returns the challenger of ANONYMOUS (RFC 4505): a client without a name, and perhaps a trace for
 * the log.
 */
export function anonymous(): Challenger<Anonymous> {
  return {
    mechanism: 'ANONYMOUS',
    credentials: Anonymous,
    exposesSecret: false,
    strength: STRENGTH.none,
    challenge: (ask, initialResponse) => after(initialResponse ?? ask(NO_BYTES), credentialsOf),
  };
}

function credentialsOf(message: Uint8Array): Anonymous {
  const trace = responseText(message);
  if (!isTrace(trace)) throw new MalformedResponse('the trace is too long or has a character that RFC 4505 prohibits');
  return new Anonymous(trace);
}
