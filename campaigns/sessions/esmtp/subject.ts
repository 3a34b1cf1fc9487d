import type { Subject } from '../protocol.ts';
import { makeScript } from './grammar.ts';
import { EsmtpModel } from './model.ts';

/** A listener that speaks ESMTP or LMTP. */
export function esmtpSubject(name: string, isLmtp = false): Subject {
  return {
    name,
    prepare: (random) => ({ script: makeScript(random, isLmtp), model: new EsmtpModel(isLmtp) }),
  };
}
