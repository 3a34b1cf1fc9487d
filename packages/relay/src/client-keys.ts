import { networkOf, siteOf } from '@postern/core';
import { ANONYMOUS, type AvatarId, type Mind } from '@postern/cred';

/** The client of a delivery: its user, and the connection that it came by. */
export interface RelayClient {
  readonly avatarId: AvatarId;
  readonly mind: Pick<Mind, 'remote'>;
}

/**
 * Returns the keys under which the client's share of places and of room is counted: its user, unless
 * it has not logged in, and its network, unless it came by a UNIX socket. An IPv6 site (/48) counts
 * before its networks, since one customer often has 65,536 of them. The first key names the queue.
 */
export function clientKeys(client: RelayClient | undefined): readonly string[] {
  if (client === undefined) return NO_KEYS;
  const { avatarId, mind } = client;
  const network = networkOf(mind.remote);
  const site = network === undefined ? undefined : siteOf(network);
  return [
    ...(avatarId === ANONYMOUS ? [] : [`user ${avatarId}`]),
    ...(site === undefined ? [] : [`site ${site}`]),
    ...(network === undefined ? [] : [`network ${network}`]),
  ];
}

const NO_KEYS: readonly string[] = [];
