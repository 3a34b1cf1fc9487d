import { siteOf } from '@postern/core';
import type { Limits } from './throttle-limits.ts';

/** The keys under which a throttle counts one login; undefined where the login has no such key. */
export interface LoginKeys extends Limits<string | undefined> {
  /** The hash of the user's name. */
  readonly hashedName: string | undefined;
  /** The client's network. */
  readonly clientNetwork: string | undefined;
}

/**
 * Returns the keys of a login.
 *
 * @param name The hash of the user's name, or undefined for credentials without a name.
 * @param network The client's network, or undefined if it is not counted.
 * @param isKnown True for a network of earlier logins: guesses from other networks must not lock
 * the user out there.
 */
export function loginKeys(name: string | undefined, network: string | undefined, isKnown: boolean): LoginKeys {
  const site = network === undefined ? undefined : siteOf(network);
  return {
    hashedName: name,
    clientNetwork: network,
    userAndNetwork: name === undefined || network === undefined ? undefined : `user+network:${name}:${network}`,
    network: network === undefined ? undefined : `network:${network}`,
    site: site === undefined ? undefined : `site:${site}`,
    user: name === undefined || isKnown ? undefined : userKey(name),
  };
}

/** Returns the key of a user's failures from all networks. */
export function userKey(hashedName: string): string {
  return USER_PREFIX + hashedName;
}

/** Returns the hashed name in a key of {@link userKey}, or undefined for another key. */
export function userOfKey(key: string): string | undefined {
  return key.startsWith(USER_PREFIX) ? key.slice(USER_PREFIX.length) : undefined;
}

const USER_PREFIX = 'user:';
