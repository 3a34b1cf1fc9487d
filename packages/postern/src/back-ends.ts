import type { AvatarFactory } from '@postern/cred';
import type { ImapBackEnd } from '@postern/imap';
import type { SieveBackEnd } from '@postern/managesieve';
import { formatEndpoint } from '@postern/node';
import { type BackEndServer, type BackEndService, parseBackEnd } from './back-end-url.ts';
import type { Config } from './config.ts';
import { UsageError, underName } from './errors.ts';
import type { ListenerSettings } from './listener-settings.ts';
import { redactSpec } from './redact-spec.ts';

/** The servers behind IMAP and ManageSieve: of all users, or of each one by a function. */
export interface BackEnds {
  readonly imap?: BackEndServer | AvatarFactory<ImapBackEnd>;
  readonly sieve?: BackEndServer | AvatarFactory<SieveBackEnd>;
}

/**
 * Parses the option `backEnd`: a URL, several, or an object with a URL or a function for each
 * protocol.
 *
 * @throws UsageError
 */
export function parseBackEnds(option: NonNullable<Config['backEnd']>): BackEnds {
  if (typeof option === 'string') return parseUrls([option]);
  if (isList(option)) return parseUrls(option);
  const { imap, sieve } = option;
  return {
    ...(imap !== undefined && { imap: typeof imap === 'string' ? parseFor('imap', imap) : imap }),
    ...(sieve !== undefined && { sieve: typeof sieve === 'string' ? parseFor('sieve', sieve) : sieve }),
  };
}

/**
 * Checks that each IMAP and ManageSieve listener has a back end.
 *
 * @throws UsageError that names the listener.
 */
export function expectBackEnds(backEnds: BackEnds, listeners: readonly ListenerSettings[]): void {
  for (const { endpoint, service } of listeners) {
    if ((service !== 'imap' && service !== 'sieve') || backEnds[service] !== undefined) continue;
    throw new UsageError(
      `${formatEndpoint(endpoint)}: expected --back-end '${service}://HOST:PORT?masterUser=NAME&password=file:PATH' ` +
        '(or backEnd in the config file), the server that the sessions pass on to',
    );
  }
}

function parseUrls(urls: readonly string[]): BackEnds {
  const backEnds = new Map<BackEndService, BackEndServer>();
  for (const url of urls) {
    const server = underName(redactSpec(url), () => parseBackEnd(url));
    if (backEnds.has(server.service)) throw new UsageError(`expected one back end for ${server.service}`);
    backEnds.set(server.service, server);
  }
  return Object.fromEntries(backEnds);
}

function parseFor(service: BackEndService, url: string): BackEndServer {
  const server = underName(redactSpec(url), () => parseBackEnd(url));
  if (server.service === service) return server;
  throw new UsageError(`${service}: expected ${service}://HOST:PORT, not ${redactSpec(url)}`);
}

function isList(option: object): option is readonly string[] {
  return Array.isArray(option);
}
