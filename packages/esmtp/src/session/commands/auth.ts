import { BareLineEnding, LineTooLong, PeerGone, TimedOut } from '@postern/conversation';
import { type Ask, type Login, LoginDenied, type LoginError, UnauthorizedLogin } from '@postern/cred';
import {
  authenticate,
  type Challenger,
  decodeBase64,
  ExchangeCancelled,
  type ExchangeError,
  encodeBase64,
  explain,
  MalformedResponse,
  NO_BYTES,
  offered,
} from '@postern/sasl';
import { MessageDelivery } from '../../delivery.ts';
import { asLoginFailure, replyForLogin, TOO_MANY_REFUSALS, UNKNOWN_MECHANISM } from '../../error-replies.ts';
import { ownWords } from '../../login-rejection.ts';
import type { Command } from '../../protocol/command.ts';
import { Reply } from '../../protocol/reply.ts';
import type { State } from '../state.ts';

/** AUTH (RFC 4954 §4): leads the exchange, and logs the client in. */
export async function auth(state: State, command: Extract<Command, { verb: 'AUTH' }>): Promise<Reply> {
  if (state.authenticated) return ALREADY;
  const challenger = state.challengers.find(({ mechanism }) => mechanism === command.mechanism);
  const why = challenger && explain(challenger, state.portal, state.mind, state.mechanismPolicy);
  if (challenger === undefined || why !== undefined) return notOffered(state, command.mechanism);

  if (state.login !== undefined) await state.logout('reset');
  const frame = new Base64Framing(state);
  let login: Login<MessageDelivery>;
  state.conversation.treatHalfCloseAsDisconnect = true;
  try {
    const initialResponse = decodeInitialResponse(command.initialResponse, state);
    login = await logIn(state, challenger, initialResponse, frame);
  } catch (failure) {
    const error = asLoginFailure(failure);
    // Whether the client is still there to hear it or not: or who hangs up in time could guess unseen.
    tellRefusal(state, challenger, error, frame.username);
    frame.rethrowBroken();
    return await refuse(state, error);
  } finally {
    state.conversation.treatHalfCloseAsDisconnect = false;
  }
  state.enter(login);
  state.tell({ kind: 'authenticated', mechanism: challenger.mechanism, avatarId: login.avatarId });
  return OK;
}

/** A mechanism that the connection only lacks TLS for gets the answer that says so, whatever the credentials are (RFC 8314 §4.1). */
function notOffered(state: State, mechanism: string): Reply {
  const inTheClear = offered(state.challengers, state.portal, state.mind, {
    ...state.mechanismPolicy,
    allowCleartext: true,
  });
  return inTheClear.some((challenger) => challenger.mechanism === mechanism) ? NEEDS_TLS : UNKNOWN_MECHANISM;
}

/** No longer than the limit says: who is logged in later is logged out again. */
function logIn(
  state: State,
  challenger: Challenger,
  initialResponse: Uint8Array | undefined,
  frame: Base64Framing,
): Promise<Login<MessageDelivery>> {
  const { conversation, portal, mind, limits, settings } = state;
  const login = authenticate({
    challenger,
    portal,
    mind,
    interfaces: [MessageDelivery],
    initialResponse,
    ask: frame.ask,
    minFailureDelay: limits.minFailureDelay,
    minChallengeDelay: limits.minChallengeDelay,
    clock: settings.clock,
    ...(settings.logUsernames && { onCredentials: ({ username }) => frame.noteUsername(username) }),
  });
  return conversation.within(limits.loginTimeout, login).catch((error: unknown) => {
    if (error instanceof TimedOut) {
      frame.breakWith(error);
      login
        .then((late) => late.logout('timeout'))
        .catch((failure: unknown) => tellRefusal(state, challenger, asLoginFailure(failure), frame.username));
    }
    throw error;
  });
}

/** Tells of a failure that is the client's. */
function tellRefusal(
  state: State,
  { mechanism }: Challenger,
  error: LoginError | ExchangeError,
  username: string | undefined,
): void {
  if (error.culprit !== 'client' || !state.isHeard) return;
  const event = { kind: 'login-refused', mechanism, error, reply: replyForLogin(error) } as const;
  state.tell(username === undefined ? event : { ...event, username });
}

/** Counts what was refused, and makes who guesses wait (RFC 4954 §9). */
async function refuse(state: State, error: LoginError | ExchangeError): Promise<Reply> {
  const { limits, settings, mind } = state;
  const reply = replyForLogin(error);
  if (error.culprit !== 'client') state.reportError(error.culprit, 'AUTH', error);

  if (ownWords(error)?.disconnect) {
    state.closeReason = 'disconnected';
    return reply;
  }
  if (!(error instanceof UnauthorizedLogin || error instanceof LoginDenied)) return reply;
  state.refusals++;
  if (state.refusals >= limits.maxLoginFailures) return TOO_MANY_REFUSALS;
  if (state.refusals > limits.undelayedLoginFailures) {
    const over = Promise.withResolvers<void>();
    const end = (): void => over.resolve();
    using _timer = settings.clock.after(limits.loginFailureDelay, end);
    mind.signal.addEventListener('abort', end);
    if (mind.signal.aborted) end();
    await over.promise;
    mind.signal.removeEventListener('abort', end);
  }
  return reply;
}

/** The framing of an exchange: base64, `334`, `*`. Remembers what broke the conversation itself, which no refusal can mend. */
class Base64Framing {
  readonly #state: State;
  #broken: { readonly error: unknown } | undefined;
  #username: string | undefined;

  constructor(state: State) {
    this.#state = state;
  }

  readonly ask: Ask = async (challenge) => {
    const { conversation, limits } = this.#state;
    if (this.#broken !== undefined) throw this.#broken.error;
    // An empty challenge is the blank alone.
    conversation.say(`334 ${encodeBase64(challenge)}\r\n`);
    const line = await this.#hear(limits.maxExchangeLine);
    if (line === '*') throw new ExchangeCancelled();
    return decode(line, this.#state);
  };

  /** The name that the client gave, once it is known; only with `logUsernames`. */
  get username(): string | undefined {
    return this.#username;
  }

  noteUsername(username: string | undefined): void {
    this.#username = username;
  }

  /** The conversation is over, whatever the exchange makes of it. */
  breakWith(error: Error): void {
    this.#broken ??= { error };
  }

  rethrowBroken(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
    if (this.#state.mind.signal.aborted) throw new PeerGone();
  }

  async #hear(maximum: number): Promise<string> {
    try {
      const line = await this.#state.conversation.hearLine(maximum, true);
      if (line === undefined) throw new PeerGone();
      return line;
    } catch (error) {
      if (error instanceof LineTooLong) throw new MalformedResponse('the response is too long', 'too-long');
      if (error instanceof BareLineEnding) {
        this.#state.closeReason = 'disconnected';
        throw new MalformedResponse('the response is no line', 'encoding');
      }
      this.#broken = { error };
      throw error;
    }
  }
}

/** RFC 4954 §4: none is undefined, and `=` is an empty one. */
function decodeInitialResponse(base64: string | undefined, state: State): Uint8Array | undefined {
  if (base64 === undefined) return undefined;
  if (base64 === '=') return NO_BYTES;
  if (base64.length > state.limits.maxExchangeLine)
    throw new MalformedResponse('the initial response is too long', 'too-long');
  return decode(base64, state);
}

/** The padding may be missing where the tolerance says so, but nothing may stand in its place. */
function decode(base64: string, { settings: { tolerance } }: State): Uint8Array {
  const missing = tolerance.unpaddedBase64 && !base64.endsWith('=') ? -base64.length & 3 : 0;
  const response = decodeBase64(missing === 0 ? base64 : base64 + '='.repeat(missing));
  if (response === undefined) throw new MalformedResponse('not base64', 'encoding');
  return response;
}

const OK = new Reply(235, '2.7.0', 'Authentication succeeded');
const ALREADY = new Reply(503, '5.5.1', 'Authenticated already');
const NEEDS_TLS = new Reply(538, '5.7.11', 'Encryption required for requested authentication mechanism');
