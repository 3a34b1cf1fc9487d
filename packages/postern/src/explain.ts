import { Anonymous, isDerived, type Portal, type TlsInfo } from '@postern/cred';
import type { Policy } from '@postern/esmtp';
import { formatEndpoint, isLocalOnly } from '@postern/node';
import { allChallengers, type Challenger, explain, explainOmission, type MechanismPolicy } from '@postern/sasl';
import { type LoginCommand, loginCommandsWith } from './access/access-protocol.ts';
import { type CommandProcess, printerTo } from './command-process.ts';
import { compose } from './compose.ts';
import { explainAccessOmission } from './compose-access.ts';
import { explainUsers } from './explain-users.ts';
import { hypotheticalMind, hypotheticalTls } from './hypothetical-client.ts';
import type { ListenerSettings } from './listener-settings.ts';
import { isAccess, isDirectory } from './listener-url.ts';
import { silentLog } from './log.ts';
import { shutOutAt } from './offer-warnings.ts';
import { openUsers } from './open-users.ts';
import { readSettings } from './settings.ts';
import { storeCheckersOf } from './user-store-checker.ts';

/**
 * Runs `postern explain`: prints the mechanisms of each listener. Resolves to the exit code.
 *
 * @throws UsageError
 */
export async function runExplain(argv: readonly string[], { stdout, env }: CommandProcess): Promise<number> {
  const print = printerTo(stdout);
  await using users = await openUsers(await readSettings(argv, env), silentLog);
  const { settings } = users;
  const composition = await compose(settings, { log: silentLog, print });
  const { access, challengersOf, portal, mechanismPolicy, acceptsAnonymous, authenticationOf } = composition;
  const commandsOf = (listener: ListenerSettings) =>
    isAccess(listener) ? access.loginCommandsOf(listener.service) : [];
  const offeredAt = (listener: ListenerSettings) => {
    const challengers = challengersOf(listener);
    return [...saslOf(listener, challengers), ...loginCommandsWith(challengers, commandsOf(listener))];
  };
  const tables = settings.listeners.map((listener) =>
    explainListener(listener, authenticationOf(listener), {
      known: [...saslOf(listener, allChallengers(settings.sasl)), ...commandsOf(listener)],
      proxied: isAccess(listener) ? access.proxiedMethodsOf(listener.service) : [],
      offered: offeredAt(listener),
      portal,
      acceptsAnonymous,
      mechanismPolicy,
      explainOmission: (mechanism) =>
        'needs' in mechanism
          ? `needs ${mechanism.needs.join(' or ')} among the mechanisms`
          : explainOmission(mechanism, settings.sasl),
      shutOut: shutOutAt(listener, settings, composition),
    }),
  );
  await print(tables.join('\n'));
  for (const checker of storeCheckersOf(settings.checkers)) {
    await print(`\n${await explainUsers(checker, users)}`);
    await checker[Symbol.asyncDispose]();
  }
  return 0;
}

/** HTTP has schemes of its own. */
function saslOf({ service }: ListenerSettings, challengers: readonly Challenger[]): readonly Challenger[] {
  return service === 'http' ? [] : challengers;
}

/** A SASL mechanism, or a command by which clients log in without SASL. */
type Mechanism = Challenger | LoginCommand;

/** The mechanisms of a server, and the reasons for which it does not offer some. */
interface Mechanisms {
  /**
   * The mechanisms of `@postern/sasl` that the protocol can carry, and the protocol's login
   * commands.
   */
  readonly known: readonly Mechanism[];
  /** The methods that nginx's mail proxy offers to its clients by itself. */
  readonly proxied: readonly LoginCommand[];
  /** The mechanisms and commands that the configuration leaves in. */
  readonly offered: readonly Mechanism[];
  readonly portal: Portal;
  /** True if the operator lets anonymous clients in, so that the server offers ANONYMOUS. */
  readonly acceptsAnonymous: boolean;
  /** The rule for mechanisms that expose the password. */
  readonly mechanismPolicy: MechanismPolicy;
  /** Returns why the configuration leaves a mechanism out; undefined if it does not. */
  readonly explainOmission: (mechanism: Mechanism) => string | undefined;
  /** The common clients that cannot log in at the listener, each with the cause. */
  readonly shutOut: readonly string[];
}

/**
 * Returns the mechanisms that a listener offers before and after TLS, and why it does not offer the
 * others. Mechanisms with the same reason share a line.
 */
function explainListener(
  listener: ListenerSettings,
  authentication: Policy['authentication'],
  mechanisms: Mechanisms,
): string {
  const { endpoint, service, tls } = listener;
  const machine = isLocalOnly(endpoint) ? 'this machine' : 'other machines';
  const heading = `${formatEndpoint(endpoint)}: ${SERVICES[service]}${tlsOf(listener)}`;
  if (isDirectory(listener)) return `${heading}, for clients on ${machine}\n  answers questions of mail servers\n`;
  const obstacleFor = obstaclesOf(listener, authentication, mechanisms);
  const path = service === 'http' ? '/nginx/request ' : '';
  return [
    `${heading}, authentication ${authentication}, for clients on ${machine}`,
    ...proxiedMethods(listener, mechanisms),
    ...stage(`${path}before TLS`, beforeTls(listener), mechanisms, (challenger) => obstacleFor(challenger)),
    ...stage(`${path}after TLS`, tls === 'none' ? 'no TLS here' : undefined, mechanisms, (challenger) =>
      obstacleFor(challenger, hypotheticalTls('TLSv1.3')),
    ),
    ...mechanisms.shutOut.map((client) => `  shut out: ${client}`),
    '',
  ].join('\n');
}

/** Returns the lines for nginx's mail proxy, whose methods depend on the checkers alone. */
function proxiedMethods(listener: ListenerSettings, { proxied, portal }: Mechanisms): readonly string[] {
  if (proxied.length === 0) return [];
  const mind = hypotheticalMind(listener, undefined);
  return stage('/nginx/mail', undefined, { known: proxied }, (method) => explain(method, portal, mind));
}

/**
 * Returns a function that says why a client with this TLS is not offered a mechanism; undefined if
 * it is.
 */
function obstaclesOf(
  listener: ListenerSettings,
  authentication: Policy['authentication'],
  { offered, portal, acceptsAnonymous, mechanismPolicy, explainOmission }: Mechanisms,
): (challenger: Mechanism, tls?: TlsInfo) => string | undefined {
  const configured = new Map(offered.map((challenger) => [challenger.mechanism, challenger]));
  return (challenger, tls) => {
    if (authentication === 'none') return 'no client authenticates here';
    const { credentials, mechanism } = challenger;
    const ours = configured.get(mechanism);
    if (ours !== undefined || !portal.handles(credentials)) {
      return explain(ours ?? challenger, portal, hypotheticalMind(listener, tls), mechanismPolicy);
    }
    if (isDerived(credentials, Anonymous) && !acceptsAnonymous) return 'needs --auth anonymous';
    if (isAccess(listener) && !('needs' in challenger)) {
      const omission = explainAccessOmission(listener.service, challenger);
      if (omission !== undefined) return omission;
    }
    return explainOmission(challenger) ?? 'not among the mechanisms wanted';
  };
}

/**
 * Returns the lines for the time before or after TLS: one line if the listener offers nothing then.
 */
function stage(
  title: string,
  never: string | undefined,
  { known }: Pick<Mechanisms, 'known'>,
  obstacle: (challenger: Mechanism) => string | undefined,
): readonly string[] {
  if (never !== undefined) return [`  ${title}: ${never}`];
  const groups = Map.groupBy(known, (challenger) => obstacle(challenger));
  const offered = groups.get(undefined) ?? [];
  groups.delete(undefined);
  return [
    `  ${title}:`,
    ...entry('offered', offered),
    ...Array.from(groups, ([reason, challengers]) => entry(`no: ${reason}`, challengers)).flat(),
  ];
}

/** Returns a heading with the names after it, in lines of at most {@link MAX_COLUMNS} columns. */
function entry(heading: string, challengers: readonly Mechanism[]): readonly string[] {
  if (challengers.length === 0) return [`    ${heading}: none`];
  const lines = [`    ${heading}:`];
  for (const { mechanism } of challengers) {
    const line = `${lines.at(-1)} ${mechanism}`;
    if (line.length > MAX_COLUMNS) lines.push(`      ${mechanism}`);
    else lines[lines.length - 1] = line;
  }
  return lines;
}

/** Returns the TLS policy of a listener in words. */
function tlsOf({ service, tls }: ListenerSettings): string {
  if (tls === 'implicit') return 'implicit TLS';
  return tls === 'none' ? 'no TLS' : `${startTlsOf(service)} ${tls}`;
}

/** Returns why a listener offers nothing before TLS; undefined if it does. */
function beforeTls({ service, tls }: ListenerSettings): string | undefined {
  if (tls === 'implicit') return 'TLS comes first';
  return tls === 'required' ? `${startTlsOf(service)} comes first` : undefined;
}

/** RFC 2595 §4. */
function startTlsOf(service: ListenerSettings['service']): string {
  return service === 'pop3' ? 'STLS' : 'STARTTLS';
}

const SERVICES: Readonly<Record<ListenerSettings['service'], string>> = {
  submission: '',
  mx: 'MX, ',
  lmtp: 'LMTP, ',
  pop3: 'POP3, ',
  imap: 'IMAP, ',
  sieve: 'ManageSieve, ',
  'dovecot-auth': 'auth server for mail servers, ',
  'dovecot-userdb': 'user look-ups of mail servers, ',
  saslauthd: 'auth server of Cyrus SASL, ',
  policy: 'policy delegation of Postfix, ',
  socketmap: 'socketmap tables of Postfix, ',
  http: 'HTTP, ',
};
const MAX_COLUMNS = 100;
