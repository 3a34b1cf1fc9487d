import { randomBytes } from 'node:crypto';
import type { Conversation } from '@postern/conversation';
import { isPromise } from '@postern/core';
import { type Identity, type Login, LoginError, type Mind, type RelayedBinding, TemporaryFailure } from '@postern/cred';
import {
  type ChallengePacer,
  decodeBase64,
  ExchangeCancelled,
  ExchangeError,
  MalformedResponse,
  NO_BYTES,
  UnheardRefusal,
} from '@postern/sasl';
import { answerTo } from '../error-replies.ts';
import { formatAttributes } from '../protocol/attributes.ts';
import { type AuthLine, parseAuthLine, parseId } from '../protocol/auth-line.ts';
import { escapeField } from '../protocol/escape.ts';
import { formatHandshake, MINOR_WITH_BINDING, MINOR_WITH_CANCELLED, MINOR_WITH_CODES } from '../protocol/handshake.ts';
import { AuthRequest, type RequestOwner } from './auth-request.ts';
import { BindingMind } from './binding-mind.ts';
import { ClientBinding } from './client-binding.ts';
import type { ListedMechanisms } from './mechanism-list.ts';
import { PeerSession } from './peer-session.ts';
import { RequestMind } from './request-mind.ts';
import type { Settings } from './settings.ts';

/**
 * Runs one connection of a mail server, from the handshake until the connection closes. Never
 * rejects.
 */
export function runSession(conversation: Conversation, settings: Settings): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  new AuthSession(conversation, settings, resolve).begin();
  return promise;
}

class AuthSession extends PeerSession implements RequestOwner {
  readonly #settings: Settings;
  #listed: ListedMechanisms;
  /** True if the handshake listed the mechanisms with channel binding. */
  #isBindingListed = false;
  /** The open requests by id, in the order of their arrival. Created by the first that waits. */
  #requests: Map<number, AuthRequest> | undefined;

  constructor(conversation: Conversation, settings: Settings, onEnd: (closed: Promise<void>) => void) {
    super(conversation, settings, 'dovecot-auth', onEnd);
    this.#settings = settings;
    this.#listed = settings.mechanisms.listFor(this.mind);
  }

  get portal(): Settings['portal'] {
    return this.#settings.portal;
  }

  get clock(): Settings['clock'] {
    return this.#settings.clock;
  }

  get challengePacer(): ChallengePacer {
    return this.#settings.challengePacer;
  }

  /** Returns the handshake, whose list depends on the client's version as far as it is known. */
  protected override handshake(): string {
    this.#isBindingListed = this.minor >= MINOR_WITH_BINDING;
    const connectionId = this.#settings.nextConnectionId();
    const cookie = randomBytes(COOKIE_OCTETS).toString('hex');
    return formatHandshake({ mechanisms: this.#listed.lines, connectionId, cookie });
  }

  /** A client that passes channel binding on may name such a mechanism, listed or not. */
  protected override onVersion(): void {
    if (this.minor < MINOR_WITH_BINDING) return;
    this.#listed = this.#settings.mechanisms.listFor(this.#bindingMind());
  }

  /** Returns the mail server's mind, as of one that passes channel binding on. */
  #bindingMind(): Mind {
    return this.minor < MINOR_WITH_BINDING ? this.mind : new BindingMind(this.mind, BINDING);
  }

  sayChallenge(request: AuthRequest, challenge: string): void {
    const { limits } = this.#settings;
    this.output.say(`CONT\t${request.id}\t${challenge}\n`);
    this.#setTimer(request, limits.responseTimeout, () =>
      this.#refuse(request, new ExchangeCancelled('the client sent no response in time')),
    );
  }

  protected override get openRequests(): number {
    return this.#requests?.size ?? 0;
  }

  protected override command(line: string): boolean {
    if (line.startsWith('AUTH\t')) this.#auth(line);
    else if (line.startsWith('CONT\t')) this.#continue(line);
    else if (line.startsWith('CANCEL\t')) this.#cancel(line);
    else return false;
    return true;
  }

  protected override dropRequests(): void {
    for (const request of this.#requests?.values() ?? []) request.drop();
    this.#requests = undefined;
  }

  #auth(text: string): void {
    const line = parseAuthLine(text);
    if (line === undefined) {
      this.violate('an AUTH without a valid id and a mechanism');
      return;
    }
    // An answer to the id would be taken for that of the first request, whose client is another.
    if (this.#requests?.has(line.id) === true) {
      this.violate(`an AUTH with the id ${line.id} of an open request`);
      return;
    }
    if (this.isClosing) return;
    const { mechanisms, limits } = this.#settings;
    const chosen = mechanisms.choose(line.mechanism, this.#listed, this.#bindingMind());
    if (typeof chosen === 'string') {
      this.#refuseMechanism(line, chosen);
      return;
    }
    const request = new AuthRequest(line, new RequestMind(line, this.mind, this.#bindingOf()), chosen, this);
    const response = this.#initialResponse(line.response);
    if (response === null) {
      this.#refuse(request, new MalformedResponse('the initial response is not base64', 'encoding'));
      return;
    }
    const login = request.run(response);
    if (!isPromise(login)) {
      this.#grant(request, login);
      return;
    }
    if (!this.#makeRoom(limits.maxRequests)) {
      login.then((granted) => this.#logout(granted), ignore);
      this.#refuse(request, new TemporaryFailure('the server has no memory for a further login', { culprit: 'us' }));
      return;
    }
    this.#open(request);
    if (!request.isAsking) this.#limitWork(request);
    login.then(
      (granted) => this.#grant(request, granted),
      (error: unknown) => this.#refuse(request, error),
    );
  }

  /** Returns the channel binding of a request; undefined if the mail server passes none on. */
  #bindingOf(): ClientBinding | undefined {
    return this.minor < MINOR_WITH_BINDING ? undefined : new ClientBinding(this.#isBindingListed);
  }

  /** Returns the bytes of `resp=`; undefined if it is absent, and null if it is not base64. */
  #initialResponse(base64: string | undefined): Uint8Array | undefined | null {
    if (base64 === undefined) return undefined;
    // Exim always sends `resp=`, also without an initial response.
    if (base64 === '') return this.minor < MINOR_WITH_CODES ? undefined : NO_BYTES;
    if (base64 === '=') return NO_BYTES;
    return decodeBase64(base64) ?? null;
  }

  #continue(line: string): void {
    const idEnd = line.indexOf('\t', CONT_LENGTH);
    const id = parseId(idEnd < 0 ? line.slice(CONT_LENGTH) : line.slice(CONT_LENGTH, idEnd));
    if (id === undefined) {
      this.violate('a CONT without a valid id');
      return;
    }
    const request = this.#requests?.get(id);
    if (request === undefined) {
      this.output.say(`FAIL\t${id}\treason=Authentication request timed out\n`);
      return;
    }
    if (request.isOver) return;
    const end = idEnd < 0 ? -1 : line.indexOf('\t', idEnd + 1);
    const base64 = idEnd < 0 ? '' : end < 0 ? line.slice(idEnd + 1) : line.slice(idEnd + 1, end);
    if (request.respond(base64, end < 0 ? '' : line.slice(end))) this.#limitWork(request);
    else this.#refuse(request, new MalformedResponse('a response without a challenge'));
  }

  #cancel(line: string): void {
    const id = parseId(line.slice(CANCEL_LENGTH));
    const request = id === undefined ? undefined : this.#requests?.get(id);
    if (request === undefined) return;
    this.#forget(request);
    if (this.minor >= MINOR_WITH_CANCELLED) this.output.say(`CANCELLED\t${request.id}\n`);
  }

  /** Postfix sends a mechanism of an earlier list, and one that only its client has named. */
  #refuseMechanism(line: AuthLine, reason: 'not-offered' | 'vanished'): void {
    const mind = new RequestMind(line, this.mind);
    if (reason === 'not-offered') {
      const error = new MalformedResponse('the mechanism is not offered');
      this.output.say(`FAIL\t${line.id}\n`);
      const { service } = mind;
      const reply = 'FAIL';
      this.#settings.events.report({ mind, kind: 'login-refused', mechanism: undefined, error, reply, service });
      return;
    }
    const error = new TemporaryFailure(
      `${line.mechanism.toUpperCase()}: no checker is left, or this mail server's connection may not carry passwords`,
      { culprit: 'operator' },
    );
    this.reportError('AUTH', error);
    this.#answer(line.id, error, undefined);
  }

  #grant(request: AuthRequest, login: Login<Identity>): void {
    const { avatar, avatarId } = login;
    if (request.isOver || this.isOver) {
      this.#logout(login);
      return;
    }
    const { username, attributes } = avatar;
    // Exim takes an empty name for a success.
    if (username === '') {
      this.#logout(login);
      this.#refuse(request, new TemporaryFailure('the identity has an empty user name', { culprit: 'operator' }));
      return;
    }
    this.#forgetAnswered(request);
    // `user=` comes first: Exim reads the first fields only.
    let reply = `OK\t${request.id}\tuser=${escapeField(username)}`;
    if (attributes.size > 0) reply += formatAttributes(attributes);
    if (request.finalResponse !== undefined) reply += `\tresp=${request.finalResponse}`;
    this.output.say(`${reply}\n`);
    const { events } = this.#settings;
    if (events.hasListener) {
      const { mechanism } = request.challenger;
      const { mind } = request;
      events.report({ mind, kind: 'authenticated', mechanism, avatarId, service: mind.service });
    }
    this.#logout(login);
    this.endIfDone();
  }

  /** The mail server does not report the end of its session: the login ends with the answer. */
  #logout(login: Login<Identity>): void {
    const loggedOut = login.logout('quit');
    if (isPromise(loggedOut)) loggedOut.then(undefined, (error: unknown) => this.reportError('AUTH', error));
  }

  #refuse(request: AuthRequest, failure: unknown): void {
    if (request.isOver || this.isOver) return;
    const cause = failure instanceof UnheardRefusal ? failure.refusal : failure;
    const isKnown = cause instanceof LoginError || cause instanceof ExchangeError;
    const error = isKnown ? cause : new TemporaryFailure('the login failed', { cause });
    const { isDelayed, reply } = answerTo(error, this.minor);
    request.drop();
    this.#reportRefused(request, error, reply);
    const { clock, limits } = this.#settings;
    const delay = isDelayed ? request.lastMessageAt + limits.loginFailureDelay - clock.now() : 0;
    if (delay <= 0) {
      this.#remove(request);
      this.#answer(request.id, error, this.#settings.logUsernames ? request.username : undefined);
      return;
    }
    if (!this.#requests?.has(request.id)) {
      this.memory.charge(REQUEST_OCTETS);
      this.#open(request);
    }
    request.timer = clock.after(delay, () => {
      this.#remove(request);
      this.#answer(request.id, error, this.#settings.logUsernames ? request.username : undefined);
    });
  }

  #answer(id: number, error: LoginError | ExchangeError, username: string | undefined): void {
    if (this.isOver) return;
    const { reply, closes } = answerTo(error, this.minor);
    if (closes) {
      this.closeBehindRequests(this.#settings.limits.closeTimeout);
      return;
    }
    const [word, ...fields] = reply.split(' ');
    const user = username === undefined || username === '' ? [] : [`user=${escapeField(username)}`];
    this.output.say(`${[word, id, ...user, ...fields].join('\t')}\n`);
    this.endIfDone();
  }

  #reportRefused(request: AuthRequest, error: LoginError | ExchangeError, reply: string): void {
    const { events, logUsernames } = this.#settings;
    const { mind, username, challenger } = request;
    if (error.culprit !== 'client') this.reportError('AUTH', error, mind);
    if (error.culprit !== 'client' || !events.hasListener) return;
    const { mechanism } = challenger;
    const event = { mind, kind: 'login-refused', mechanism, error, reply, service: mind.service } as const;
    events.report(logUsernames && username !== undefined ? { ...event, username } : event);
  }

  /** Limits the server's own work on a message of the client. */
  #limitWork(request: AuthRequest): void {
    const { requestTimeout } = this.#settings.limits;
    this.#setTimer(request, requestTimeout, () =>
      this.#refuse(request, new TemporaryFailure(`the login took more than ${requestTimeout} ms`)),
    );
  }

  #setTimer(request: AuthRequest, milliseconds: number, onTimeout: () => void): void {
    request.timer?.[Symbol.dispose]();
    request.timer = this.#settings.clock.after(milliseconds, onTimeout);
  }

  #open(request: AuthRequest): void {
    this.#requests ??= new Map();
    this.#requests.set(request.id, request);
  }

  #remove(request: AuthRequest): void {
    if (this.#requests?.delete(request.id) === true) this.memory.release(REQUEST_OCTETS);
  }

  /**
   * Makes room for one more request, and charges its memory. Ends the oldest requests that wait for
   * their clients: Postfix never reports a client that has cancelled. Returns false if none waits.
   */
  #makeRoom(maxRequests: number): boolean {
    while (this.openRequests >= maxRequests || !this.memory.reserve(REQUEST_OCTETS)) {
      const oldest = this.#oldestAsking();
      if (oldest === undefined) return false;
      this.#forget(oldest);
      this.output.say(`FAIL\t${oldest.id}\n`);
    }
    return true;
  }

  #oldestAsking(): AuthRequest | undefined {
    for (const request of this.#requests?.values() ?? []) {
      if (request.isAsking) return request;
    }
    return undefined;
  }

  #forget(request: AuthRequest): void {
    request.drop();
    this.#remove(request);
    this.endIfDone();
  }

  #forgetAnswered(request: AuthRequest): void {
    request.isOver = true;
    request.timer?.[Symbol.dispose]();
    this.#remove(request);
  }
}

function ignore(): void {}

const CONT_LENGTH = 'CONT\t'.length;
const CANCEL_LENGTH = 'CANCEL\t'.length;
/** Binding data is at hand for each client, as far as the list is concerned. */
const BINDING: RelayedBinding = new ClientBinding(true);
/** The memory of an open request. Measured: 3 KiB with LOGIN, 6.5 KiB with SCRAM. */
const REQUEST_OCTETS = 8 * 1024;
const COOKIE_OCTETS = 16;
