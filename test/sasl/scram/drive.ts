import { type AnyChecker, type AvatarId, AvatarRealm, type Checker, type Credentials, Portal } from '@postern/cred';
import type { Challenger } from '@postern/sasl';
import type { Responder } from '@postern/sasl/client';
import { type ExchangeOptions, exchange, TestAvatar } from '@postern/testing';

/** The parts of a login that a test chooses. */
export interface Drive extends Pick<ExchangeOptions, 'mind' | 'channel' | 'tamper'> {
  readonly challenger: Challenger;
  readonly checker: AnyChecker;
  readonly responder: Responder;
}

/**
 * The outcome of a login: an avatar id or an error of the server, undefined or an error of the
 * client.
 */
export interface Outcome {
  readonly server: AvatarId | { readonly error: unknown };
  readonly client: undefined | { readonly error: unknown };
  /** The messages as they were sent, beginning with the client's. */
  readonly dialogue: readonly string[];
}

/** Runs a responder against a challenger with a portal, to the end of both. */
export async function drive({ challenger, checker, responder, ...options }: Drive): Promise<Outcome> {
  const realm = new AvatarRealm().provide(TestAvatar, (avatarId) => new TestAvatar(avatarId));
  const portal = new Portal(realm).register(checker as Checker<Credentials>);
  const { server, client, messages } = await exchange(challenger, responder, { portal, ...options });
  return {
    server: 'login' in server ? server.login.avatarId : server,
    client: 'error' in client ? { error: client.error } : undefined,
    dialogue: messages.map(({ bytes }) => Buffer.from(bytes).toString()),
  };
}
