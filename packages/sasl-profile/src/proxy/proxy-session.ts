import { type PassThroughEnd, PeerGone } from '@postern/conversation';
import type { LogoutReason } from '@postern/cred';
import { ClientSession } from '../session/client-session.ts';
import { type AuthCommand, runAuth } from '../session/run-auth.ts';
import type { SessionEvent } from '../session/session-event.ts';
import type { SessionLimits } from '../session/session-limits.ts';
import type { SessionSettings } from '../session/session-settings.ts';
import type { BackEnd } from './back-end.ts';
import { type OpenBackEnd, openBackEnd } from './open-back-end.ts';
import type { ProxiedEvent } from './proxied-event.ts';

/** An event of a protocol that passes its sessions through, with the verbs `V`. */
export type ProxyEvent<V extends string> = SessionEvent<V, string> | ProxiedEvent;

/** The settings of a server that passes its sessions through to back ends. */
export type ProxySettings<B extends object, V extends string, L extends SessionLimits> = SessionSettings<
  B,
  ProxyEvent<V>,
  L
>;

/**
 * The client of a session that passes through to a back end after the login. `B` is the avatar, `V`
 * a verb of the protocol, `W` what the back end says when it accepts a login, `L` the limits.
 */
export class ProxySession<
  B extends BackEnd<W>,
  V extends string,
  W,
  L extends SessionLimits = SessionLimits,
> extends ClientSession<B, V, string> {
  declare readonly settings: ProxySettings<B, V, L>;

  /**
   * Logs the client in here and at its back end, says `welcome`, and passes all further octets
   * between the two. Resolves when both connections have closed.
   *
   * @throws Refusal if one of the two logins fails.
   */
  async enter(command: AuthCommand<B, V>, welcome: (accepted: W) => string): Promise<void> {
    let backEnd: OpenBackEnd<W> | undefined;
    const begin = async (avatar: B): Promise<void> => {
      backEnd = await openBackEnd(this.conversation, this.mind, avatar);
    };
    await runAuth(this, { ...command, begin });
    if (backEnd === undefined) throw new Error('the login has opened no back end');
    this.conversation.say(`${welcome(backEnd.accepted)}\r\n`);
    await this.#passThrough(backEnd);
  }

  async #passThrough({ conversation: backEnd }: OpenBackEnd<W>): Promise<void> {
    const { conversation, login, mind, settings } = this;
    if (login === undefined) throw new PeerGone();
    const { avatar, avatarId } = login;
    const startedAt = settings.clock.now();
    const end = await conversation.passThrough(backEnd, { idleTimeout: avatar.idleTimeout });
    const duration = Math.round(settings.clock.now() - startedAt);
    this.closeReason = LOGOUT_REASONS[end.reason];
    const { sent: received, received: sent, reason } = end;
    this.report({ mind, kind: 'proxied', avatarId, received, sent, duration, reason });
  }

  /** Reports an event. Never throws. */
  override report(event: ProxyEvent<V>): void {
    if (this.hasListener) this.settings.events.report(event);
  }
}

const LOGOUT_REASONS: Readonly<Record<PassThroughEnd['reason'], LogoutReason>> = {
  ended: 'quit',
  broken: 'disconnected',
  'peer-broken': 'disconnected',
  timeout: 'timeout',
  shutdown: 'shutdown',
};
