import type { Clock, MaybePromise } from '@postern/core';
import { type Credentials, Identity, type Login, type LoginError, type Portal, UnauthorizedLogin } from '@postern/cred';
import {
  authenticate,
  type ChallengePacer,
  type Challenger,
  decodeBase64,
  ExchangeCancelled,
  encodeBase64,
  MalformedResponse,
  NO_BYTES,
} from '@postern/sasl';
import type { AuthLine } from '../protocol/auth-line.ts';
import type { RequestMind } from './request-mind.ts';

/** The session of a request. */
export interface RequestOwner {
  readonly portal: Portal;
  readonly clock: Clock;
  readonly challengePacer: ChallengePacer;
  /** Sends a challenge in base64 with its parameters, and begins to wait for its response. */
  sayChallenge(request: AuthRequest, challenge: string): void;
}

/**
 * One login of the mail server's client: its exchange, and its timer. Many requests of one
 * connection run at the same time.
 */
export class AuthRequest {
  readonly line: AuthLine;
  readonly mind: RequestMind;
  readonly challenger: Challenger;
  /** The time of the client's last message, in milliseconds of the clock. */
  lastMessageAt: number;
  /** The current timeout, or the delay of a refusal. */
  timer: Disposable | undefined;
  /** True once the request has an outcome, or none is wanted. */
  isOver = false;
  /** The server-final-message in base64, for `resp=` of OK. */
  finalResponse: string | undefined;
  readonly #owner: RequestOwner;
  #credentials: Credentials | undefined;
  #response: PromiseWithResolvers<Uint8Array> | undefined;
  /** True if the last challenge may be answered by an empty response. */
  #mayBeEmpty = false;

  constructor(line: AuthLine, mind: RequestMind, challenger: Challenger, owner: RequestOwner) {
    this.line = line;
    this.mind = mind;
    this.challenger = challenger;
    this.#owner = owner;
    this.lastMessageAt = owner.clock.now();
  }

  get id(): number {
    return this.line.id;
  }

  /** The user name that the client sent, if the exchange got that far. */
  get username(): string | undefined {
    return this.#credentials?.username;
  }

  /** True while the client owes a response. */
  get isAsking(): boolean {
    return this.#response !== undefined;
  }

  /** Runs the exchange. A failure is a rejected promise. */
  run(initialResponse: Uint8Array | undefined): MaybePromise<Login<Identity>> {
    const { portal, clock, challengePacer } = this.#owner;
    return authenticate({
      challenger: this.challenger,
      portal,
      mind: this.mind,
      interfaces: INTERFACES,
      initialResponse,
      ask: this.#ask,
      onCredentials: this.#onCredentials,
      // The session delays refusals: FAIL leaves at a time after the client's message.
      minFailureDelay: 0,
      pacer: challengePacer,
      clock,
    });
  }

  /**
   * Passes on the base64 of a CONT, and its parameters, each behind a TAB. Returns false if no
   * response was asked for.
   */
  respond(base64: string, parameters: string): boolean {
    const response = this.#response;
    if (response === undefined) return false;
    this.#response = undefined;
    this.lastMessageAt = this.#owner.clock.now();
    const bytes = decodeBase64(base64);
    if (this.mind.relayedBinding?.receive(parameters) === false) response.reject(new UnauthorizedLogin(UNASKED));
    else if (bytes === undefined) response.reject(new MalformedResponse('the response is not base64', 'encoding'));
    else if (bytes.length === 0 && !this.#mayBeEmpty) response.reject(new ExchangeCancelled());
    else response.resolve(bytes);
    return true;
  }

  /** Ends the exchange without an outcome: the work on it stops. */
  drop(reason: LoginError | ExchangeCancelled = new ExchangeCancelled('the request is over')): void {
    this.isOver = true;
    this.timer?.[Symbol.dispose]();
    this.timer = undefined;
    this.mind.disconnect();
    this.#response?.reject(reason);
    this.#response = undefined;
  }

  readonly #ask = (challenge: Uint8Array): Promise<Uint8Array> => {
    if (this.isOver) return Promise.reject(new ExchangeCancelled('the request is over'));
    const base64 = encodeBase64(challenge);
    if (this.line.has('final-resp-ok') && isServerFinal(this.challenger.mechanism, challenge)) {
      this.finalResponse = base64;
      return Promise.resolve(NO_BYTES);
    }
    this.#response = Promise.withResolvers<Uint8Array>();
    this.#mayBeEmpty = this.#takesEmptyResponse(challenge);
    const { promise } = this.#response;
    this.#owner.sayChallenge(this, base64 + (this.mind.relayedBinding?.takeRequest() ?? ''));
    return promise;
  };

  readonly #onCredentials = (credentials: Credentials): void => {
    this.#credentials = credentials;
  };

  /**
   * Exim sends an empty CONT when its client hangs up. It counts as a message only where the
   * mechanism knows an empty one: behind its closing words. A checker's own question, for a
   * one-time code, has no empty answer.
   */
  #takesEmptyResponse(challenge: Uint8Array): boolean {
    return this.#credentials?.proofState === 'arrived' && isClosing(this.challenger.mechanism, challenge);
  }
}

/**
 * Returns true for the closing words of a mechanism: the server's proof, or the error of a token
 * (RFC 7628 §3.2.2). Each question of a password mechanism is a checker's.
 */
function isClosing(mechanism: string, challenge: Uint8Array): boolean {
  if (mechanism === 'OAUTHBEARER' || mechanism === 'XOAUTH2') return challenge[0] === OPENING_BRACE;
  if (mechanism.startsWith('SCRAM-') || mechanism === 'DIGEST-MD5') return isServerFinal(mechanism, challenge);
  return !PASSWORD_MECHANISMS.has(mechanism);
}

/**
 * Returns true for the message by which the server proves itself. The client only acknowledges it.
 */
function isServerFinal(mechanism: string, challenge: Uint8Array): boolean {
  const prefix = mechanism.startsWith('SCRAM-') ? 'v=' : mechanism === 'DIGEST-MD5' ? 'rspauth=' : undefined;
  return prefix !== undefined && Buffer.from(challenge.subarray(0, prefix.length)).toString('latin1') === prefix;
}

const INTERFACES = [Identity] as const;
const UNASKED = 'a channel binding that was not asked for';
const PASSWORD_MECHANISMS: ReadonlySet<string> = new Set(['PLAIN', 'LOGIN', 'CRAM-MD5']);
const OPENING_BRACE = '{'.charCodeAt(0);
