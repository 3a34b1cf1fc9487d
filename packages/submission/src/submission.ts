import { hostname as systemHostname } from 'node:os';
import { Portal, type Realm } from '@postern/cred';
import { esmtp, isDomain, MessageDelivery } from '@postern/esmtp';
import { Certificates, formatEndpoint, isLocalOnly, serve } from '@postern/node';
import { InMemoryFailureCounts, withThrottle } from '@postern/throttle';
import { realmOfFactory, realmOfFunction, SharedDeliveryRealm } from './deliver.ts';
import { type ParsedListenUrl, parseListenUrl } from './listen-url.ts';
import { checkOptionNames, type DeliveryChoice, type SubmissionOptions } from './options.ts';
import { SubmissionServer } from './server.ts';
import { checkerOf, type Users, weakUsers } from './users.ts';

/**
 * Starts a mail submission server (RFC 6409): portal, realm, checkers, ESMTP and listeners in one
 * call. Resolves when all listeners listen.
 *
 * @example
 * ```ts
 * import { submission } from '@postern/submission';
 *
 * await using server = await submission({
 *   listen: 'smtp://127.0.0.1:2525',
 *   users: { joe: 'secret' },
 *   deliver: async (message) => console.log(message.from, message.to, await message.text()),
 * });
 * ```
 *
 * @throws TypeError or RangeError for options that cannot work.
 * @throws ListenError if a listener cannot listen, after all parts are closed.
 */
export async function submission(options: SubmissionOptions): Promise<SubmissionServer> {
  checkOptionNames(options);
  const { listen, users, deliver, deliveryFor, tls, throttle = {}, connections, shutdownTimeout = 10_000 } = options;
  const { hostname = ownHostname(), onError, proxy, ...esmtpOptions } = options;
  const parsedUrls = [listen].flat().map((url) => parseListenUrl(url, tls !== undefined));
  if (parsedUrls.length === 0) throw new TypeError('listen: expected at least one URL');
  const checker = checkerOf(users);
  const counts = throttle === false ? undefined : (throttle.counts ?? new InMemoryFailureCounts());
  const portal = new Portal(realmOf(options)).register(
    counts === undefined || throttle === false ? checker : withThrottle(checker, { ...throttle, counts }),
  );
  const protocol = esmtp({ ...esmtpOptions, service: 'submission', hostname, portal });
  const certificates = tls === undefined || tls instanceof Certificates ? tls : await Certificates.load(tls);
  for (const parsed of parsedUrls) if (proxy === undefined) warnOfClearText(parsed);
  if (parsedUrls.some(({ endpoint }) => !isLocalOnly(endpoint))) warnOfWeakPasswords(users);
  const server = await serve({
    listeners: parsedUrls.map((parsed) => ({
      ...parsed,
      protocol,
      refusal: TOO_MANY_CONNECTIONS,
      ...(certificates && { certificates }),
      ...(connections && { limits: connections }),
      ...(proxy && { proxy }),
      ...(onError && { onError }),
    })),
    portal,
    resources: [
      ...[users].flat().map((resource, n) => [`users ${n + 1}`, resource as object] as const),
      ['deliver', (deliver ?? deliveryFor) as object] as const,
    ],
    shutdownTimeout,
  });
  return new SubmissionServer({ portal, server, certificates });
}

function realmOf({ deliver, deliveryFor }: DeliveryChoice): Realm {
  if (deliveryFor !== undefined && deliver !== undefined)
    throw new TypeError('deliver and deliveryFor: expected exactly one of them');
  if (typeof deliveryFor === 'function') return realmOfFactory(deliveryFor);
  if (deliver instanceof MessageDelivery) return new SharedDeliveryRealm(deliver);
  if (typeof deliver === 'function') return realmOfFunction(deliver);
  throw new TypeError('deliver: expected a function of a message or a MessageDelivery; deliveryFor takes a factory');
}

function ownHostname(): string {
  const name = systemHostname();
  return isDomain(name) && /^[!-~]+$/.test(name) ? name : 'localhost';
}

function warnOfClearText({ endpoint, tlsPolicy }: ParsedListenUrl): void {
  if (tlsPolicy !== 'none' || isLocalOnly(endpoint)) return;
  process.emitWarning(
    `${formatEndpoint(endpoint)} has no TLS: clients on other machines are not offered PLAIN and LOGIN, and the network can read mail; expected tls: { cert, key }`,
    'PosternWarning',
  );
}

function warnOfWeakPasswords(users: Users): void {
  for (const username of weakUsers(users)) {
    process.emitWarning(
      `users: the password of ${JSON.stringify(username)} has fewer than 8 characters, and clients on other machines reach this server; expected a longer one`,
      'PosternWarning',
    );
  }
}

const TOO_MANY_CONNECTIONS = '421 4.3.2 Too many connections, try again later\r\n';
