import type { AvatarFactory } from '@postern/cred';
import type { MessageDelivery } from '@postern/esmtp';
import type { Log } from './log.ts';

/** What a place for messages may need of the command. */
export interface DeliveryTargetContext {
  readonly log: Log;
  /** Writes to the standard output; rejects if that cannot be done. */
  readonly print: (text: string) => Promise<void>;
  /** This server's name. */
  readonly hostname: string;
  /** The characters that separate a tag from a user in an address. Default: `+`. */
  readonly recipientDelimiter?: string;
}

/** Makes a delivery for each login. */
export interface DeliveryFactory extends AvatarFactory<MessageDelivery> {
  /** Called before the server listens: rejects with a StartError if no message could be delivered. */
  readonly prepare?: () => Promise<void>;
  /** True if mail ends here, as in Maildirs: then somebody must say who lives here. Default: false. */
  readonly isLocal?: boolean;
}

/** A place for messages, before there is anything to deliver: asked once, when the server starts. */
export type DeliverySetting = (context: DeliveryTargetContext) => DeliveryFactory;

/** A place for messages that wants to know of the command, as {@link relay} makes one: for `deliver` in the config file. */
export class DeliveryTarget {
  readonly open: DeliverySetting;

  constructor(open: DeliverySetting) {
    this.open = open;
  }
}
