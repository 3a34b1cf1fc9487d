import type { Conversation } from '@postern/conversation';
import { after, isPromise, type MaybePromise } from '@postern/core';
import { Anonymous, type Login, type Portal } from '@postern/cred';
import { MailDirectory } from '../mail-directory.ts';
import { parseId } from '../protocol/auth-line.ts';
import { unescapeField } from '../protocol/escape.ts';
import { formatUserdbHandshake } from '../protocol/handshake.ts';
import { PeerSession, type PeerSettings } from './peer-session.ts';

/** The settings of each session of `dovecotUserdb`. */
export interface UserdbSettings extends PeerSettings {
  readonly portal: Portal;
}

/** Runs one connection that looks users up, until it closes. Never rejects. */
export function runUserdbSession(conversation: Conversation, settings: UserdbSettings): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  new UserdbSession(conversation, settings, resolve).begin();
  return promise;
}

class UserdbSession extends PeerSession {
  readonly #settings: UserdbSettings;
  /** The look-ups without an answer, by id, with their timers. */
  readonly #lookups = new Map<number, Disposable>();

  constructor(conversation: Conversation, settings: UserdbSettings, onEnd: (closed: Promise<void>) => void) {
    super(conversation, settings, 'dovecot-userdb', onEnd);
    this.#settings = settings;
  }

  protected override handshake(): string {
    return formatUserdbHandshake();
  }

  protected override get openRequests(): number {
    return this.#lookups.size;
  }

  protected override command(line: string): boolean {
    const [command, idText = '', name = ''] = line.split('\t', 3);
    if (!REQUESTS.has(command ?? '')) return false;
    const id = parseId(idText);
    if (id === undefined) this.violate(`a ${command} without a valid id`);
    else if (this.#lookups.has(id)) this.violate(`a ${command} with the id ${id} of an open request`);
    else if (command !== 'USER' || this.#lookups.size >= this.#settings.limits.maxRequests) this.#fail(id);
    else this.#lookUp(id, name);
    return true;
  }

  protected override dropRequests(): void {
    for (const timer of this.#lookups.values()) timer[Symbol.dispose]();
    this.#lookups.clear();
  }

  #lookUp(id: number, field: string): void {
    const name = Buffer.from(unescapeField(field), 'latin1').toString();
    const exists = this.#exists(name);
    if (!isPromise(exists)) {
      this.#answer(id, field, exists);
      return;
    }
    const { clock, limits } = this.#settings;
    const timer = clock.after(limits.requestTimeout, () => {
      const cause = new Error(`the look-up took more than ${limits.requestTimeout} ms`);
      this.#conclude(id, timer, () => this.#fail(id, cause));
    });
    this.#lookups.set(id, timer);
    exists.then(
      (known) => this.#conclude(id, timer, () => this.#answer(id, field, known)),
      (error: unknown) => this.#conclude(id, timer, () => this.#fail(id, error)),
    );
  }

  #exists(name: string): MaybePromise<boolean> {
    const { portal } = this.#settings;
    return after(portal.login(new Anonymous(), this.mind, MailDirectory), (login) => {
      let known: MaybePromise<boolean | undefined>;
      try {
        known = login.avatar.hasRecipient(name);
      } catch (error) {
        known = Promise.reject(error);
      }
      if (!isPromise(known)) return after(login.logout(), () => known === true);
      return logOutAfter(known, login);
    });
  }

  /** Answers a look-up, unless its time is over or the connection has closed. */
  #conclude(id: number, timer: Disposable, answer: () => void): void {
    if (this.#lookups.get(id) !== timer) return;
    timer[Symbol.dispose]();
    this.#lookups.delete(id);
    answer();
    this.endIfDone();
  }

  #answer(id: number, field: string, exists: boolean): void {
    // The name goes back as it came: octets, escapes included.
    this.output.say(exists ? `USER\t${id}\t${Buffer.from(field, 'latin1').toString()}\n` : `NOTFOUND\t${id}\n`);
  }

  /** Answers that the mail server may ask again, and reports the cause if there is one. */
  #fail(id: number, cause?: unknown): void {
    if (cause !== undefined) this.reportError('USER', cause);
    this.output.say(`FAIL\t${id}\n`);
  }
}

/** Resolves with true if the recipient exists, once the login has ended. */
async function logOutAfter(known: Promise<boolean | undefined>, login: Login<MailDirectory>): Promise<boolean> {
  try {
    return (await known) === true;
  } finally {
    await login.logout();
  }
}

/**
 * The requests of the master and userdb protocol. This server answers USER, and FAIL to the others.
 */
const REQUESTS: ReadonlySet<string> = new Set(['USER', 'PASS', 'LIST', 'REQUEST']);
