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
 * Decides about a login. The responses are those to the decision's own challenges so far: their number is the state of the exchange.
 * Nothing returned is a refusal, which leaves the login to other checkers of a cascade; an error is a deferral, unless it is a LoginError.
 */
export type Decision<C extends Credentials> = (
  credentials: C,
  mind: Mind,
  responses: readonly Uint8Array[],
) => MaybePromise<Verdict | undefined | void>;

/**
 * A checker that is one function. For credentials of one class it decides about the mechanisms that make these, for `Credentials`
 * about any login, a guest's too. `mind.exchange` tells the mechanism.
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
        if (verdict === undefined) throw new UnauthorizedLogin('the decision came to nothing');
        if (verdict instanceof Accept) return verdict.avatarId;
        if (verdict instanceof Refuse) throw verdict.error;
        // Whatever else it may be where nobody checks types: it is no yes.
        if (!(verdict instanceof Challenge))
          throw new TemporaryFailure('the decision came to something that is no verdict');
        responses.push(await askFurther(mind, verdict.challenge, responses.length));
      }
    },
  };
}

async function askFurther({ exchange }: Mind, challenge: Uint8Array, rounds: number): Promise<Uint8Array> {
  if (exchange === undefined) throw new TemporaryFailure('there is no exchange in which to ask for more');
  if (rounds >= MAXIMUM_ROUNDS) throw new TemporaryFailure('the decision never came to a verdict');
  return await exchange.ask(challenge);
}

const MAXIMUM_ROUNDS = 20;
