// Uses that must compile, and uses that must not. No test runs this file.
import type { MaybePromise } from '@postern/core';
import { Anonymous, type AvatarId, type Login, type Mind, type Portal, UsernamePassword } from '@postern/cred';
import { type Ask, authenticate, type Challenger, offered } from '@postern/sasl';
import type { Responder } from '@postern/sasl/client';

class Delivery {
  readonly #nominal = true;
  send(): boolean {
    return this.#nominal;
  }
}
declare const ask: Ask;
declare const portal: Portal;
declare const mind: Mind;

// A challenger makes the credentials whose class it names.
export const passwords: Challenger<UsernamePassword> = {
  mechanism: 'X-PASSWORDS',
  credentials: UsernamePassword,
  exposesSecret: false,
  challenge: async () => new UsernamePassword('joe', 's3cret'),
};
export const mismatched: Challenger<UsernamePassword> = {
  mechanism: 'X-MISMATCHED',
  exposesSecret: false,
  // @ts-expect-error: it says that it makes something else
  credentials: Anonymous,
  challenge: async () => new UsernamePassword('joe', 's3cret'),
};
export const judging: Challenger<UsernamePassword> = {
  mechanism: 'X-JUDGING',
  credentials: UsernamePassword,
  exposesSecret: false,
  // @ts-expect-error: a challenger parses, and a checker decides who the user is
  challenge: async (): Promise<AvatarId> => 'joe',
};
// @ts-expect-error: it does not say whether a listener could log in afterwards
export const silent: Challenger<UsernamePassword> = {
  mechanism: 'X-SILENT',
  credentials: UsernamePassword,
  challenge: async () => new UsernamePassword('joe', 's3cret'),
};
// @ts-expect-error: it does not say that either
export const silentClient: Responder = { mechanism: 'X-SILENT', respond: async () => {} };
// @ts-expect-error: a challenger of anonymous clients makes no passwords
export const anonymous: Challenger<UsernamePassword> = {} as Challenger<Anonymous>;
// Any challenger may stand in the list of all.
export const all: readonly Challenger[] = offered([passwords, {} as Challenger<Anonymous>], portal, mind);

// The driver brings the avatar that the protocol asked for.
export const login: MaybePromise<Login<Delivery>> = authenticate({
  challenger: passwords,
  portal,
  mind,
  interfaces: [Delivery],
  initialResponse: undefined,
  ask,
});
export const text: Ask = async (challenge) => challenge;
// @ts-expect-error: an exchange is of bytes, not of text
export const notBytes: Ask = async () => 'text';
