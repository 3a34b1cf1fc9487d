import type { Protocol } from '@postern/conversation';
import type { AnyChecker, AvatarRealm, Portal } from '@postern/cred';
import type { Challenger, MechanismPolicy } from '@postern/sasl';
import type { Deliveries } from '../compose-deliveries.ts';
import type { CommandOutput } from '../delivery-target.ts';
import type { AccessListenerSettings } from '../listener-settings.ts';
import type { Settings } from '../settings.ts';

/** The options that POP3, IMAP and ManageSieve have in common. */
export interface AccessProtocolOptions {
  readonly hostname: string;
  readonly portal: Portal;
  readonly challengers: readonly Challenger[];
  readonly mechanismPolicy: MechanismPolicy;
  readonly logUsernames: boolean;
}

/**
 * A way to log in without SASL: a command such as USER of POP3, or a scheme of HTTP. `mechanism` is
 * its name.
 */
export interface LoginCommand extends Omit<Challenger, 'challenge'> {
  /** The command works only if one of these mechanisms is left in: they send the same secret. */
  readonly needs: readonly string[];
}

/** A protocol by which users read their mail or manage its filters, with what serves its users. */
export interface AccessProtocol extends Partial<AsyncDisposable> {
  /** Adds the avatar of the protocol to the realm. */
  readonly provide: (realm: AvatarRealm) => void;
  /**
   * Returns the protocol of a listener.
   *
   * @throws UsageError for a limit that cannot work.
   */
  readonly create: (options: AccessProtocolOptions, listener: AccessListenerSettings) => Protocol;
  /** The commands by which clients log in without SASL. */
  readonly loginCommands: readonly LoginCommand[];
  /**
   * The methods of nginx's mail proxy, which offers them to its clients by itself. Default: none.
   */
  readonly proxiedMethods?: readonly LoginCommand[];
  /** The last reply to a client above a limit of connections, with its line end. */
  readonly refusal: string;
  /** Runs before the server listens. Rejects with a StartError if no user could be served. */
  readonly prepare?: () => Promise<void>;
}

/** Returns the login commands that a list of mechanisms leaves in. */
export function loginCommandsWith<C extends Pick<LoginCommand, 'needs'>>(
  challengers: readonly Pick<Challenger, 'mechanism'>[],
  commands: readonly C[],
): readonly C[] {
  const names = new Set(challengers.map(({ mechanism }) => mechanism));
  return commands.filter(({ needs }) => needs.some((mechanism) => names.has(mechanism)));
}

/**
 * Opens a protocol by the settings.
 *
 * @throws UsageError for settings that do not work together.
 */
export type OpenAccessProtocol = (settings: Settings, context: AccessContext) => Promise<AccessProtocol>;

/** The log and the parts of a server that its protocols may use. */
export interface AccessContext extends CommandOutput, Pick<Deliveries, 'recipients' | 'ownSenders'> {
  /** The checkers, in the order of `--auth`. */
  readonly checkers: readonly AnyChecker[];
}
