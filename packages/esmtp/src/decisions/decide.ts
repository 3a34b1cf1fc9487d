import {
  type Checker,
  type Credentials,
  type InstanceOf,
  type Interface,
  type MaybePromise,
  type Mind,
  TemporaryFailure,
  UnauthorizedLogin,
} from '@postern/cred';
import { Accept, Challenge, Refuse, type Verdict } from './verdicts.ts';

/**
 * Decides about a login. `responses` are the client's responses to the challenges of this decision
 * so far: their number is the state of the exchange. Returning nothing rejects the login and leaves
 * it to the other checkers of a cascade. An error defers the login, unless it is a LoginError.
 */
export type Decision<C extends Credentials> = (
  credentials: C,
  mind: Mind,
  responses: readonly Uint8Array[],
) => MaybePromise<Verdict | undefined | void>;

/**
 * Returns a checker that is one function. The function decides about the credentials of
 * `interfaces`; with `Credentials` about each login, also that of an anonymous client.
 * `mind.exchange` has the name of the mechanism.
 *
 * @example
 * ```ts
 * import { UsernamePassword } from '@postern/cred';
 * import { accept, challenge, decide, reject } from '@postern/esmtp';
 *
 * const checker = decide([UsernamePassword], ({ username, password }, _mind, [code]) => {
 *   if (username !== 'ann' || password !== 'secret') return reject();
 *   if (code === undefined) return challenge('Code:');
 *   return Buffer.from(code).toString() === '123456' ? accept(username) : reject('Wrong code');
 * });
 * ```
 */
export function decide<const I extends readonly Interface<Credentials>[]>(
  interfaces: I,
  decision: Decision<InstanceOf<I[number]>>,
): Checker<InstanceOf<I[number]>>;
export function decide<C extends Credentials>(interfaces: readonly Interface<C>[], decision: Decision<C>): Checker<C> {
  return {
    credentialInterfaces: interfaces,
    async requestAvatarId(credentials, mind) {
      const responses: Uint8Array[] = [];
      for (;;) {
        const verdict = await decision(credentials, mind, responses);
        if (verdict === undefined) throw new UnauthorizedLogin('the decision returned nothing');
        if (verdict instanceof Accept) return verdict.avatarId;
        if (verdict instanceof Refuse) throw verdict.error;
        // JavaScript may return any value: only an Accept accepts the login.
        if (!(verdict instanceof Challenge))
          throw new TemporaryFailure('the decision returned a value that is not a verdict');
        responses.push(await askClient(mind, verdict.challenge, responses.length));
      }
    },
  };
}

async function askClient({ exchange }: Mind, challenge: Uint8Array, challenges: number): Promise<Uint8Array> {
  if (exchange === undefined) throw new TemporaryFailure('the login has no exchange for a challenge');
  if (challenges >= MAX_CHALLENGES)
    throw new TemporaryFailure(`the decision returned more than ${MAX_CHALLENGES} challenges`);
  return await exchange.ask(challenge);
}

const MAX_CHALLENGES = 20;
