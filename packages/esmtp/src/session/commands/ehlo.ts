import { isClientName } from '../../protocol/domain.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/**
 * EHLO (RFC 5321 §4.1.1.1), and LHLO (RFC 2033 §4.1): ends the transaction, and lists the
 * extensions that this client may use now.
 */
export async function ehlo(state: State, { name }: { readonly name: string }): Promise<Reply> {
  await state.abortMessage();
  setClientName(state, name);
  const { extensions, ehloReplies } = state.settings;
  const keywords = extensions.map((extension) => extension.advertise(state)).filter((line) => line !== undefined);
  return ehloReplies.get([state.hostname, ...keywords]);
}

/** HELO (RFC 5321 §4.1.1.1): ends the transaction. The client gets no extensions. */
export async function helo(state: State, { name }: { readonly name: string }): Promise<Reply> {
  await state.abortMessage();
  setClientName(state, name);
  return new Reply(250, undefined, state.hostname);
}

/** Accepts any name that was parsed: PCs send the names that their owners have given them. */
function setClientName(state: State, name: string): void {
  state.mind.clientName = name;
  if (!isClientName(name)) state.report({ mind: state.mind, kind: 'invalid-client-name', name });
}
