import { type Message, MessageDelivery } from '@postern/esmtp';

/** Takes every message and keeps none: for measurements and rehearsals. */
export class DiscardDelivery extends MessageDelivery {
  validateFrom(): void {}

  validateTo(): void {}

  openMessage(): Message {
    return nowhere;
  }
}

const nowhere: Message = { keepsChunks: false, write() {}, end() {}, abort() {} };
