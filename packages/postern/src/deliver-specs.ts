import { ANONYMOUS } from '@postern/cred';
import { type Message, MessageDelivery } from '@postern/esmtp';
import { ConsoleDelivery } from './console-delivery.ts';
import { DeliveryTarget } from './delivery-target.ts';
import { underName } from './errors.ts';
import { parseMaildir } from './maildir.ts';
import { NEXT_SERVERS, parseNextServer } from './next-server.ts';
import { expectWord, type SpecForm, type SpecForms } from './option-values.ts';

/** Accepts every message and drops it: for measurements and tests. */
export class DiscardDelivery extends MessageDelivery {
  validateFrom(): void {}

  validateTo(): void {}

  openMessage(): Message {
    return DISCARDED;
  }
}

const DISCARDED: Message = { keepsChunks: false, write() {}, end() {}, abort() {} };

const toConsole: SpecForm<DeliveryTarget> = {
  usage: 'console',
  summary: 'a readable summary of each message on the standard output',
  parse(rest) {
    expectWord('console', rest);
    return new DeliveryTarget(
      ({ print }) =>
        (avatarId) =>
          new ConsoleDelivery(avatarId === ANONYMOUS ? 'anonymous' : avatarId, print),
    );
  },
};

const toNowhere: SpecForm<DeliveryTarget> = {
  usage: 'discard',
  summary: 'nowhere',
  parse(rest) {
    expectWord('discard', rest);
    const delivery = new DiscardDelivery();
    return new DeliveryTarget(() => () => delivery);
  },
};

const toMaildirs: SpecForm<DeliveryTarget> = {
  usage: 'maildir:DIR',
  summary: 'a Maildir for each recipient, DIR/ann@example.com/new; ?mode=660&group=NAME',
  parse: (rest = '') => parseMaildir(rest),
};

function toNextServer(scheme: string, summary: string): [string, SpecForm<DeliveryTarget>] {
  const usage = NEXT_SERVERS.get(scheme) ?? scheme;
  return [scheme, { usage, summary, parse: (rest = '') => relayTo(`${scheme}:${rest}`) }];
}

/** Checks the spec now. Only a server that sends on loads the client. */
function relayTo(to: string): DeliveryTarget {
  underName('relay: to', () => parseNextServer(to));
  return new DeliveryTarget(async (context) => {
    const { relay } = await import('./relay.ts');
    return await relay({ to }).open(context);
  });
}

/** The forms of `--deliver` and `--notify`. */
export const deliverSpecs: SpecForms<DeliveryTarget> = new Map([
  ['console', toConsole],
  ['discard', toNowhere],
  ['maildir', toMaildirs],
  toNextServer('lmtp', 'a mail store that speaks LMTP'),
  toNextServer('lmtp+unix', 'a mail store that speaks LMTP, at a UNIX socket'),
  toNextServer('smtp', 'the next server, STARTTLS if not on this machine; ?tls=required|offered|none'),
  toNextServer('smtps', 'the next server, with TLS from the first byte'),
]);
