import type { AvatarId, Clock, Mind, Portal } from '@postern/cred';
import type { Challenger, OfferPolicy } from '@postern/sasl';
import type { EventListener } from './events.ts';
import type { Limits } from './limits.ts';

/** What one server has decided, for all of its connections. */
export interface Settings {
  readonly hostname: string;
  readonly portal: Portal;
  readonly challengers: readonly Challenger[];
  readonly authentication: 'required' | 'optional';
  readonly offer: OfferPolicy;
  readonly trustSubmitter: (mind: Mind, avatarId: AvatarId) => boolean;
  readonly limits: Limits;
  readonly onEvent: EventListener | undefined;
  readonly clock: Clock;
  /** The id for the next message: unique in time and on this host. */
  readonly nextId: () => string;
}
