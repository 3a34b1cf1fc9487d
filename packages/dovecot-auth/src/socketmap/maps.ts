import { after, type MaybePromise } from '@postern/core';
import { Anonymous } from '@postern/cred';
import { askDirectory } from '../lookups/ask-directory.ts';
import type { LookupSession } from '../lookups/lookup-session.ts';
import type { MailDirectory } from '../mail-directory.ts';

/**
 * Returns the answer to a request: a map, a space, and a key.
 *
 * @throws LoginError and any error of the directory; either may be a rejection
 */
export function answerTo(request: string, { mind, settings }: LookupSession): MaybePromise<string> {
  const space = request.indexOf(' ');
  const map = MAPS.get(space === -1 ? request : request.slice(0, space));
  if (map === undefined || space === -1) return 'PERM unknown map: expected senders or recipients';
  const key = request.slice(space + 1);
  if (key === '') return NOT_FOUND;
  return askDirectory(settings.portal, new Anonymous(), mind, (directory) => map(directory, key));
}

/** Answers a key of a map. */
type SocketMap = (directory: MailDirectory, key: string) => MaybePromise<string>;

/**
 * Postfix separates login names by commas and white space. A name that contains one is left out:
 * otherwise the user `joe smith` would let `joe` use the address.
 */
const senders: SocketMap = (directory, key) =>
  after(directory.ownersOf(key), (owners) => {
    const names = owners.filter((name) => NAME.test(name)).join(',');
    if (names === '') return NOT_FOUND;
    if (Buffer.byteLength(names) > MAX_VALUE_OCTETS) throw new RangeError(`too many owners of ${key}`);
    return `OK ${names}`;
  });

const recipients: SocketMap = (directory, key) =>
  after(directory.hasRecipient(key), (exists) => (exists === true ? 'OK OK' : NOT_FOUND));

const MAPS: ReadonlyMap<string, SocketMap> = new Map([
  ['senders', senders],
  ['recipients', recipients],
]);

/** The protocol has a space after the word, also without a value. */
const NOT_FOUND = 'NOTFOUND ';
const NAME = /^[^\s,\x00-\x1f\x7f]+$/;
/** Postfix takes 100,000 octets. */
const MAX_VALUE_OCTETS = 65_536;
