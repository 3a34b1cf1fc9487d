import { networkOf, siteOf } from '@postern/core';
import { ANONYMOUS, type AvatarId, type Mind } from '@postern/cred';

/** The client of a delivery: its user and its connection. */
export interface RelayClient {
  readonly avatarId: AvatarId;
  readonly mind: Pick<Mind, 'remote'>;
}

/**
 * Returns the keys that count the client's share of connections and of the spool: its user if it
 * has logged in, and its network except for a UNIX socket. An IPv6 site (/48) counts as well as its
 * network, since one customer often has 65,536 networks. The first key names the queue.
 */
export function clientKeys(client: RelayClient | undefined): readonly string[] {
  if (client === undefined) return NO_SHARE_KEYS;
  const { avatarId, mind } = client;
  const network = networkOf(mind.remote);
  const site = network === undefined ? undefined : siteOf(network);
  return [
    ...(avatarId === ANONYMOUS ? [] : [`user ${avatarId}`]),
    ...(site === undefined ? [] : [`site ${site}`]),
    ...(network === undefined ? [] : [`network ${network}`]),
  ];
}

const NO_SHARE_KEYS: readonly string[] = [];
