import { after, type MaybePromise } from '@postern/core';
import { isClientName } from '../../protocol/domain.ts';
import type { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/**
 * EHLO (RFC 5321 §4.1.1.1), and LHLO (RFC 2033 §4.1): ends the transaction, and lists the
 * extensions that this client may use now.
 */
export function ehlo(state: State, { name }: { readonly name: string }): MaybePromise<Reply> {
  return after(state.abortMessage(), () => {
    setClientName(state, name);
    return state.settings.ehloReplies.get(state.hostname, state.ehloFacts);
  });
}

/** HELO (RFC 5321 §4.1.1.1): ends the transaction. The client gets no extensions. */
export function helo(state: State, { name }: { readonly name: string }): MaybePromise<Reply> {
  return after(state.abortMessage(), () => {
    setClientName(state, name);
    return state.settings.heloReplies.get(state.hostname);
  });
}

/** Accepts any name that was parsed: PCs send the names that their owners have given them. */
function setClientName(state: State, name: string): void {
  state.mind.clientName = name;
  if (!isClientName(name)) state.report({ mind: state.mind, kind: 'invalid-client-name', name });
}
