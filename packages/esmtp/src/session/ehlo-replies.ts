import type { EhloFacts, Extension } from '../protocol/extension.ts';
import { Reply } from '../protocol/reply.ts';

/**
 * Keeps recent replies to EHLO. Nearly all clients of a server get the same one: to ask each
 * extension for its line takes most of the command's time.
 */
export class EhloReplies {
  readonly #extensions: readonly Extension[];
  readonly #recent: CachedReply[] = [];

  /** @param extensions The extensions of the server, in the order of their lines. */
  constructor(extensions: readonly Extension[]) {
    this.#extensions = extensions;
  }

  /**
   * Returns the reply to a client. All calls have the same `limits`. Compares the facts with those
   * of recent replies, so no change of a client or of the portal must be announced.
   */
  get(hostname: string, facts: EhloFacts): Reply {
    for (const cached of this.#recent) {
      if (cached.hostname === hostname && isSame(cached.facts, facts)) return cached.reply;
    }
    const lines = this.#extensions.map((extension) => extension.advertise(facts)).filter((line) => line !== undefined);
    const reply = new Reply(250, undefined, hostname, ...lines);
    if (this.#recent.length === MAX_CACHED_REPLIES) this.#recent.pop();
    this.#recent.unshift({ hostname, facts, reply });
    return reply;
  }
}

interface CachedReply {
  readonly hostname: string;
  readonly facts: EhloFacts;
  readonly reply: Reply;
}

function isSame(facts: EhloFacts, others: EhloFacts): boolean {
  return (
    facts.hasTls === others.hasTls &&
    facts.canStartTls === others.canStartTls &&
    facts.needsTls === others.needsTls &&
    facts.trustsPeer === others.trustsPeer &&
    facts.takesTrustedLogin === others.takesTrustedLogin &&
    isSameList(facts.mechanisms, others.mechanisms)
  );
}

function isSameList(texts: readonly string[], others: readonly string[]): boolean {
  if (texts === others) return true;
  return texts.length === others.length && texts.every((text, index) => text === others[index]);
}

const MAX_CACHED_REPLIES = 16;
