import type { Mind } from '@postern/cred';
import type { EventReporter, MechanismOffer, MechanismOffers, SessionSettings } from '@postern/sasl-profile';
import type { Pop3Event } from '../events.ts';
import type { Verb } from '../protocol/command.ts';
import type { Pop3Limits } from '../protocol/limits.ts';

/** The options of a server with all defaults, for each of its sessions. */
export interface Settings extends SessionSettings<Verb, string> {
  readonly hostname: string | ((mind: Mind) => string);
  readonly limits: Pop3Limits;
  readonly events: EventReporter<Pop3Event>;
  /** The SASL mechanisms. */
  readonly mechanisms: MechanismOffers;
  /** USER and APOP, as far as the server has them: offered by the same rules as mechanisms. */
  readonly loginCommands: MechanismOffer;
}
