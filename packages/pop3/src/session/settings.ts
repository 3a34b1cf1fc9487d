import type { BufferPool } from '@postern/conversation';
import type { SessionSettings } from '@postern/sasl-profile';
import type { Pop3Event } from '../events.ts';
import type { Mailbox } from '../mailbox.ts';
import type { Limits } from '../protocol/limits.ts';

/** The options of a server with all defaults, for each of its sessions. */
export interface Settings extends SessionSettings<Mailbox, Pop3Event, Limits> {
  /** The login commands that the operator has disabled. */
  readonly disabledLoginCommands: ReadonlySet<string>;
  /** The buffers for messages with dot stuffing, of all sessions of the server. */
  readonly stuffedBuffers: BufferPool;
}
