import { ANONYMOUS } from '@postern/cred';
import { ConsoleDelivery } from './console-delivery.ts';
import type { DeliverySetting } from './delivery-target.ts';
import { DiscardDelivery } from './discard-delivery.ts';
import { parseMaildir } from './maildir.ts';
import { NEXT_SERVERS } from './next-server.ts';
import { relay } from './relay.ts';
import { expectWord, type SpecForm, type SpecForms } from './spec.ts';

const toConsole: SpecForm<DeliverySetting> = {
  usage: 'console',
  summary: 'a readable summary of each message on the standard output',
  parse(rest) {
    expectWord('console', rest);
    return ({ print }) =>
      (avatarId) =>
        new ConsoleDelivery(avatarId === ANONYMOUS ? 'anonymous' : avatarId, print);
  },
};

const discard: SpecForm<DeliverySetting> = {
  usage: 'discard',
  summary: 'nowhere',
  parse(rest) {
    expectWord('discard', rest);
    const delivery = new DiscardDelivery();
    return () => () => delivery;
  },
};

const toMaildirs: SpecForm<DeliverySetting> = {
  usage: 'maildir:DIR',
  summary: 'a Maildir for each recipient, DIR/ann@example.com/new; ?mode=660&group=NAME',
  parse(folder = '') {
    return parseMaildir(folder).open;
  },
};

/** On to the next server. */
function next(scheme: string, summary: string): [string, SpecForm<DeliverySetting>] {
  const usage = NEXT_SERVERS.get(scheme) ?? scheme;
  const parse = (rest = '') => relay({ to: `${scheme}:${rest}` }).open;
  return [scheme, { usage, summary, parse }];
}

/** The places that `--deliver` can name. */
export const deliverSpecs: SpecForms<DeliverySetting> = new Map([
  ['console', toConsole],
  ['discard', discard],
  ['maildir', toMaildirs],
  next('lmtp', 'a mail store that speaks LMTP'),
  next('lmtp+unix', 'the same, at a UNIX socket'),
  next('smtp', 'the next server, STARTTLS if not on this machine; ?tls=required|offered|none'),
  next('smtps', 'the next server, with TLS from the first byte'),
]);
