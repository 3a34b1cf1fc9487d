import type { State } from '../state.ts';

/** STAT (RFC 1939 §5): the messages without a mark. */
export function stat(state: State): string {
  const { count, octets } = state.openMaildrop;
  return `+OK ${count} ${octets}`;
}

/** NOOP (RFC 1939 §5). */
export const noop = (): string => '+OK';

/** RSET (RFC 1939 §5): removes the marks of DELE. */
export function rset(state: State): string {
  state.openMaildrop.reset();
  const { count, octets } = state.openMaildrop;
  return `+OK maildrop has ${count} messages (${octets} octets)`;
}

/**
 * UTF8 (RFC 6856 §2.1). A session without it gets the same octets: fetchmail, getmail, mpop and curl
 * never send UTF8, and a refusal would keep a message with UTF-8 in its header from them for ever.
 */
export const utf8 = (): string => '+OK UTF8 enabled';
