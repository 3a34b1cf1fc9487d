import type { Clock } from '@postern/core';
import type { Portal } from '@postern/cred';
import type { ChallengePacer } from '@postern/sasl';
import type { EventReporter } from '@postern/sasl-profile';
import type { DovecotAuthEvent } from '../events.ts';
import type { Limits } from '../protocol/limits.ts';
import type { MechanismList } from './mechanism-list.ts';

/** The options of a server with all defaults, for each of its sessions. */
export interface Settings {
  readonly portal: Portal;
  readonly mechanisms: MechanismList;
  readonly limits: Limits;
  readonly events: EventReporter<DovecotAuthEvent>;
  readonly logUsernames: boolean;
  readonly clock: Clock;
  readonly challengePacer: ChallengePacer;
  /** Returns another number for each connection. */
  readonly nextConnectionId: () => number;
}
