import {
  type AnyChecker,
  type Ask,
  type AvatarId,
  AvatarRealm,
  type Checker,
  type Credentials,
  type Mind,
  Portal,
} from '@postern/cred';
import { authenticate, type Challenger, EMPTY, ExchangeCancelled, ExchangeError } from '@postern/sasl';
import { AuthenticationFailure, type Channel, type Responder, SaslFailure } from '@postern/sasl/client';
import { someChannel, someMind } from '../exchange.ts';

/** What a test may choose of a login. */
export interface Drive {
  readonly challenger: Challenger;
  readonly checker: AnyChecker;
  readonly responder: Responder;
  readonly mind?: Mind;
  readonly channel?: Channel;
  /** Changes a message on its way; they are counted from 0. */
  readonly tamper?: (message: Uint8Array, index: number) => Uint8Array;
}

/** How a login ended on both sides: an avatar id or an error on the server's, undefined or an error on the client's. */
export interface Outcome {
  readonly server: AvatarId | { readonly error: unknown };
  readonly client: undefined | { readonly error: unknown };
  /** The messages as they were said, first the client's. */
  readonly dialogue: readonly string[];
}

/** What the realm of these tests hands out. */
class Avatar {
  readonly avatarId: AvatarId;

  constructor(avatarId: AvatarId) {
    this.avatarId = avatarId;
  }
}

/** Leads a responder and a challenger, with a portal behind it, against each other to the end of both. */
export async function drive({
  challenger,
  checker,
  responder,
  mind = someMind(),
  channel = someChannel,
  tamper = (message) => message,
}: Drive): Promise<Outcome> {
  const portal = new Portal(new AvatarRealm().provide(Avatar, (avatarId) => new Avatar(avatarId))).register(
    checker as Checker<Credentials>,
  );
  const dialogue: string[] = [];
  const carry = (message: Uint8Array): Uint8Array => {
    const carried = tamper(message, dialogue.length);
    dialogue.push(Buffer.from(message).toString());
    return carried;
  };

  const outcome = Promise.withResolvers<Outcome['server']>();
  let heard: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  let answered: PromiseWithResolvers<Uint8Array> | undefined;
  let begun = false;

  const ask: Ask = (challenge) => {
    answered = Promise.withResolvers();
    heard?.resolve(carry(challenge));
    return answered.promise;
  };
  const begin = async (initialResponse: Uint8Array): Promise<void> => {
    begun = true;
    const interfaces = [Avatar];
    try {
      const login = await authenticate({ challenger, portal, mind, interfaces, initialResponse, ask, failureFloor: 0 });
      outcome.resolve(login.avatarId);
      heard?.resolve(undefined);
    } catch (error) {
      outcome.resolve({ error });
      heard?.reject(error instanceof ExchangeError ? new SaslFailure(error.code) : new AuthenticationFailure());
    }
  };

  let client: Outcome['client'];
  try {
    await responder.respond((message = EMPTY) => {
      heard = Promise.withResolvers();
      const carried = carry(message);
      if (begun) answered?.resolve(carried);
      else void begin(carried);
      return heard.promise;
    }, channel);
  } catch (error) {
    client = { error };
    if (!begun) outcome.resolve({ error: new ExchangeCancelled() });
    answered?.reject(new ExchangeCancelled());
  }
  return { server: await outcome.promise, client, dialogue };
}
