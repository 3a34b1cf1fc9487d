import { timingSafeEqual } from 'node:crypto';
import { type Exchange, type Mind, UsernamePassword } from '@postern/cred';
import { decodeUtf8, encodeUtf8, preparePassword } from '@postern/sasl';
import { UnknownUser } from '../errors.ts';
import { isUpdatable, type UserStore } from '../user-store.ts';
import { RefusedCodes } from './refused-codes.ts';
import { codeOfStep, stepAt, type Totp } from './totp.ts';
import { UsedSteps } from './used-steps.ts';

/** The options of the second factor. */
export interface TotpOptions {
  /**
   * The number of steps before and after the current one whose codes are right too, since clocks
   * differ and users type slowly (RFC 6238 §5.2). Default: 1.
   */
  readonly window?: number;
  /**
   * The text of a challenge by which LOGIN asks for the code of a user whose password does not end
   * in one: `Code:`. The challenge reveals that the user exists and has a second factor. Default:
   * no challenge, so that the client appends the code to the password.
   */
  readonly codePrompt?: string;
}

/** A password and a one-time code, parted. */
export interface TwoFactors {
  readonly password: UsernamePassword;
  /** Undefined if the client sent none. */
  readonly code: string | undefined;
}

/** Parts passwords and one-time codes, and accepts each code once. */
export class SecondFactor {
  readonly #store: UserStore;
  readonly #now: () => number;
  readonly #window: number;
  readonly #codePrompt: string | undefined;
  readonly #usedSteps: UsedSteps;
  readonly #refusedCodes: RefusedCodes;

  /** @throws RangeError if `window` is not a whole number from 0 to 10. */
  constructor(store: UserStore, now: () => number, { window = 1, codePrompt }: TotpOptions) {
    if (!(Number.isInteger(window) && window >= 0 && window <= MAX_WINDOW_STEPS)) {
      throw new RangeError(`window: expected a whole number of 0 to ${MAX_WINDOW_STEPS} steps, not ${window}`);
    }
    this.#store = store;
    this.#now = now;
    this.#window = window;
    this.#codePrompt = codePrompt;
    this.#usedSteps = new UsedSteps(now);
    this.#refusedCodes = new RefusedCodes(now);
  }

  /**
   * Resolves with the two factors of a login. The code is the end of the password, or the client's
   * answer to the prompt of LOGIN. Only the shape of the password decides whether the client is
   * asked: the prompt must not reveal whether the password is right.
   *
   * @throws the error of the exchange if the client breaks it off.
   */
  async part(credentials: UsernamePassword, { digits }: Totp, { exchange }: Mind): Promise<TwoFactors> {
    const { username, password, authzid } = credentials;
    const end = password.slice(-digits);
    // A code alone counts as the password: an empty one would cost no comparison.
    if (isCode(end, digits) && password !== end) {
      const itself = password.slice(0, -digits);
      // The digits may have changed the preparation: a right-to-left text must not end in one.
      const prepared = preparePassword(itself) ?? itself;
      return { password: new UsernamePassword(username, itself, authzid, prepared), code: end };
    }
    const asks = this.#codePrompt !== undefined && exchange?.mechanism === 'LOGIN';
    return { password: credentials, code: asks ? await askForCode(exchange, this.#codePrompt, digits) : undefined };
  }

  /**
   * Resolves with true if both factors are right, and marks the code as used. A code stays unused
   * beside a wrong password. A code that was wrong in the last hour stays wrong. Computes the codes
   * of the window in any case.
   */
  async accept(name: string, totp: Totp, code: string | undefined, isPasswordRight: boolean): Promise<boolean> {
    const step = this.#stepOf(totp, code);
    if (!isPasswordRight || code === undefined) return false;
    if (step === undefined || this.#refusedCodes.has(name, code)) {
      this.#refusedCodes.add(name, code);
      return false;
    }
    return await this.#use(name, totp, step);
  }

  /** Returns true if the code is right and unused. It stays unused. */
  isRight(totp: Totp, code: string | undefined): boolean {
    return this.#stepOf(totp, code) !== undefined;
  }

  /** Returns the step whose code this is, or undefined for a wrong or used code. */
  #stepOf(totp: Totp, code: string | undefined): number | undefined {
    const current = stepAt(totp, this.#now());
    let match: number | undefined;
    // The latest of two equal codes: after the earlier one, the same code would be right again.
    for (let step = Math.max(0, current - this.#window); step <= current + this.#window; step += 1) {
      if (equalCodes(codeOfStep(totp, step), code)) match = step;
    }
    return match === undefined || match <= totp.lastStep ? undefined : match;
  }

  /**
   * Resolves with false if another login has used this step or a later one meanwhile, or if the
   * user's secret has changed.
   */
  async #use(name: string, { secret, period }: Totp, step: number): Promise<boolean> {
    if (!isUpdatable(this.#store, name)) {
      return this.#usedSteps.add(name, step, (step + this.#window + 1) * period * 1000);
    }
    let isAccepted = false;
    try {
      await this.#store.update?.(name, (user) => {
        const { totp } = user;
        // A store may call again after a conflict, so each call decides anew.
        isAccepted = totp?.secret === secret && step > (totp.lastStep ?? -1);
        return isAccepted && totp != null ? { ...user, totp: { ...totp, lastStep: step } } : undefined;
      });
    } catch (error) {
      if (error instanceof UnknownUser) return false;
      throw error;
    }
    return isAccepted;
  }
}

async function askForCode({ ask }: Exchange, prompt: string, digits: number): Promise<string | undefined> {
  const answer = decodeUtf8(await ask(encodeUtf8(prompt)))?.replaceAll(' ', '');
  return answer !== undefined && isCode(answer, digits) ? answer : undefined;
}

function isCode(text: string, digits: number): boolean {
  return text.length === digits && /^[0-9]+$/.test(text);
}

function equalCodes(right: string, code = ''): boolean {
  const presented = Buffer.alloc(right.length);
  presented.write(code);
  return timingSafeEqual(Buffer.from(right), presented) && code.length === right.length;
}

/** Five minutes in each direction at 30 seconds a step. */
const MAX_WINDOW_STEPS = 10;
