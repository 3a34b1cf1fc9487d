import type { Portal } from '@postern/cred';
import type { ChallengePacer } from '@postern/sasl';
import type { MechanismList } from './mechanism-list.ts';
import type { PeerSettings } from './peer-session.ts';

/** The options of a server with all defaults, for each of its sessions. */
export interface Settings extends PeerSettings {
  readonly portal: Portal;
  readonly mechanisms: MechanismList;
  readonly logUsernames: boolean;
  readonly challengePacer: ChallengePacer;
  /** Returns another number for each connection. */
  readonly nextConnectionId: () => number;
}
