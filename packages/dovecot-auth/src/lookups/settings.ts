import { Warnings } from '@postern/conversation';
import { type Credentials, type Interface, type Portal, TrustedLogin } from '@postern/cred';
import { checkRealm, EventReporter, type SessionListener } from '@postern/sasl-profile';
import { MailDirectory } from '../mail-directory.ts';
import type { LookupEvent } from './events.ts';
import { completeLookupLimits, type LookupLimits } from './limits.ts';

/** The options of a server that answers a mail server's questions: `policy` and `socketmap`. */
export interface LookupOptions {
  /** Logs in for a {@link MailDirectory}. The README names the credentials. */
  readonly portal: Portal;
  /** Bounds on what one mail server may use. */
  readonly limits?: Partial<LookupLimits>;
  /**
   * Gets the events of all connections. Default: none. Errors of this server and of its operator
   * then become warnings of the process, the same one at most once a minute.
   */
  readonly onEvent?: SessionListener<LookupEvent>;
}

/** The options of a lookup server with all defaults, for each of its sessions. */
export interface LookupSettings {
  readonly protocol: string;
  readonly portal: Portal;
  readonly limits: LookupLimits;
  readonly events: EventReporter<LookupEvent>;
}

/** The parts of a lookup server that differ. */
export interface LookupTraits {
  /** The name of the protocol and of its function. */
  readonly protocol: string;
  /** The default of the limit `maxRequest`. */
  readonly maxRequest: number;
  /** The credentials with which the protocol logs in. */
  readonly credentials: readonly Interface<Credentials>[];
}

/**
 * Returns the settings of a lookup server.
 *
 * @throws TypeError for a portal without the avatar or without a checker for the credentials.
 */
export function lookupSettings(options: LookupOptions, traits: LookupTraits): LookupSettings {
  const { portal, limits, onEvent } = options;
  const { protocol, maxRequest, credentials } = traits;
  checkRealm(portal, MailDirectory, protocol);
  const missing = credentials.find((wanted) => !portal.handles(wanted));
  if (missing !== undefined) {
    const example = missing === TrustedLogin ? 'TrustedLoginChecker' : 'AnonymousChecker';
    throw new TypeError(
      `portal: it has no checker for ${missing.name}; register one, such as ${example}, before ${protocol}()`,
    );
  }
  return {
    protocol,
    portal,
    limits: completeLookupLimits(limits, maxRequest),
    events: new EventReporter(onEvent, new Warnings(), protocol),
  };
}
