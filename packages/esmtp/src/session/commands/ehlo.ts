import { after, type MaybePromise } from '@postern/core';
import { isClientName } from '../../protocol/domain.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/** EHLO (RFC 5321 §4.1.1.1), or LHLO (RFC 2033 §4.1): what this server can do for the client, here and now. Like HELO and RSET it ends a transaction. */
export function ehlo(state: State, { name }: { readonly name: string }): MaybePromise<Reply> {
  return after(state.abortMessage(), () => {
    nameClient(state, name);
    const { hostname, extensions, ehloReplies } = state.settings;
    const keywords = extensions.map((extension) => extension.advertise(state)).filter((line) => line !== undefined);
    return ehloReplies.of([hostname, ...keywords]);
  });
}

/** HELO (RFC 5321 §4.1.1.1): what EHLO was, without extensions. */
export function helo(state: State, { name }: { readonly name: string }): MaybePromise<Reply> {
  return after(state.abortMessage(), () => {
    nameClient(state, name);
    return new Reply(250, undefined, state.settings.hostname);
  });
}

/** The session goes on whatever the name is: PCs send what their owners called them. */
function nameClient(state: State, name: string): void {
  state.mind.clientName = name;
  if (!isClientName(name)) state.tell({ kind: 'invalid-client-name', name });
}
