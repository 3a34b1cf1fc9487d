import type { Interface, Portal } from '@postern/cred';
import type { Challenger } from '@postern/sasl';

/**
 * Checks that the realm provides the avatar of a protocol. Without the checks of this file a server
 * that refuses each client would start, and only its first client would show the mistake.
 *
 * @throws TypeError if the realm does not provide the avatar.
 */
export function checkRealm(portal: Portal, avatar: Interface<object>, protocol: string): void {
  if (typeof portal?.provides !== 'function') {
    throw new TypeError('portal: expected a Portal with a realm and a checker, as new Portal(realm).register(checker)');
  }
  if (portal.provides(avatar)) return;
  const { name } = avatar;
  throw new TypeError(
    `portal: its realm provides no ${name}; call realm.provide(${name}, () => new My${name}()) before ${protocol}()`,
  );
}

/**
 * Checks that one of the mechanisms has a checker. `protocol` is the name of the function that
 * makes the protocol. `alternative` names what else would let clients in.
 *
 * @throws TypeError if no mechanism has one.
 */
export function checkCheckers(
  portal: Portal,
  challengers: readonly Pick<Challenger, 'credentials'>[],
  protocol: string,
  alternative = '',
): void {
  if (challengers.some(({ credentials }) => portal.handles(credentials))) return;
  const expected = [...new Set(challengers.map(({ credentials }) => credentials.name))].join(', ');
  throw new TypeError(
    `portal: it has no checker for any mechanism, so each login would fail; register a checker of one of ${expected}${alternative} before ${protocol}()`,
  );
}
