import type { State } from '../state.ts';

/** STAT (RFC 1939 §5): the messages without a mark. */
export function stat({ maildrop: { count, octets } }: State): string {
  return `+OK ${count} ${octets}`;
}

/** NOOP (RFC 1939 §5). */
export const noop = (): string => '+OK';

/** RSET (RFC 1939 §5): removes the marks of DELE. */
export function rset(state: State): string {
  state.maildrop.reset();
  return state.welcome;
}

/**
 * UTF8 (RFC 6856 §2.1). A session without it gets the same octets, which the RFC forbids.
 * fetchmail, getmail, mpop and curl never send UTF8: with a refusal they would never get a message
 * that has UTF-8 in its header.
 */
export const utf8 = (): string => '+OK UTF8 enabled';
