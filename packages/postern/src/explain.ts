import { Anonymous, isDerived, type Portal, type TlsInfo } from '@postern/cred';
import type { Policy } from '@postern/esmtp';
import { formatEndpoint } from '@postern/node';
import { type Challenger, explain, type MechanismPolicy } from '@postern/sasl';
import { imaginedClient, imaginedMind, imaginedTls } from './imagined-clients.ts';
import { isLocalOnly } from './local-only.ts';
import type { ListenerSettings } from './settings.ts';

/** The mechanisms there are, those among them that the server has, and who judges their credentials. */
export interface Mechanisms {
  readonly known: readonly Challenger[];
  readonly offered: readonly Challenger[];
  readonly portal: Portal;
  /** False where ANONYMOUS is left out, although there is a checker for guests. */
  readonly acceptsAnonymous: boolean;
  /** Where a mechanism may expose the secret. */
  readonly mechanismPolicy: MechanismPolicy;
  /** Why the configuration leaves a mechanism out; undefined if it does not. */
  readonly whyLeftOut: (mechanism: string) => string | undefined;
  /** The common clients that cannot log in at the listener, each with the cause. */
  readonly shutOut: readonly string[];
}

/**
 * Returns, for one listener, which mechanisms are offered before and after TLS, and why not the others:
 * mechanisms that have the reason in common stand in one line.
 */
export function explainListener(
  listener: ListenerSettings,
  authentication: Policy['authentication'],
  mechanisms: Mechanisms,
): string {
  const { endpoint, service, tls } = listener;
  const who = isLocalOnly(endpoint) ? 'this machine' : 'other machines';
  const facts = `${SERVICES[service]}${TLS[tls]}, authentication ${authentication}`;
  const obstacle = obstacles(listener, authentication, mechanisms);
  return [
    `${formatEndpoint(endpoint)}: ${facts}, for clients on ${who}`,
    ...stage('before TLS', BEFORE_TLS[tls], mechanisms, (challenger) => obstacle(challenger)),
    ...stage('after TLS', tls === 'none' ? 'no TLS here' : undefined, mechanisms, (challenger) =>
      obstacle(challenger, imaginedTls('TLSv1.3')),
    ),
    ...mechanisms.shutOut.map((client) => `  shut out: ${client}`),
    '',
  ].join('\n');
}

/** Returns why a mechanism is not offered to a client with this TLS; undefined if it is. */
function obstacles(
  { endpoint }: ListenerSettings,
  authentication: Policy['authentication'],
  { offered, portal, acceptsAnonymous, mechanismPolicy, whyLeftOut }: Mechanisms,
): (challenger: Challenger, tls?: TlsInfo) => string | undefined {
  const remote = imaginedClient(endpoint);
  const served = new Map(offered.map((challenger) => [challenger.mechanism, challenger]));
  return (challenger, tls) => {
    if (authentication === 'none') return 'nobody authenticates here';
    const { credentials, mechanism } = challenger;
    const ours = served.get(mechanism);
    if (ours !== undefined || !portal.handles(credentials)) {
      return explain(ours ?? challenger, portal, imaginedMind(remote, tls), mechanismPolicy);
    }
    const isGuests = isDerived(credentials, Anonymous) && !acceptsAnonymous;
    return isGuests ? 'needs --auth anonymous' : (whyLeftOut(mechanism) ?? 'not among the mechanisms wanted');
  };
}

/** The lines for the time before or after TLS; one line if nothing can be offered then. */
function stage(
  title: string,
  never: string | undefined,
  { known }: Mechanisms,
  why: (challenger: Challenger) => string | undefined,
): readonly string[] {
  if (never !== undefined) return [`  ${title}: ${never}`];
  const groups = Map.groupBy(known, (challenger) => why(challenger));
  const offered = groups.get(undefined) ?? [];
  groups.delete(undefined);
  return [
    `  ${title}:`,
    ...entry('offered', offered),
    ...Array.from(groups, ([reason, challengers]) => entry(`no: ${reason}`, challengers)).flat(),
  ];
}

/** A heading and the names behind it, in lines of at most {@link WIDTH} columns. */
function entry(heading: string, challengers: readonly Challenger[]): readonly string[] {
  if (challengers.length === 0) return [`    ${heading}: none`];
  const lines = [`    ${heading}:`];
  for (const { mechanism } of challengers) {
    const line = `${lines.at(-1)} ${mechanism}`;
    if (line.length > WIDTH) lines.push(`      ${mechanism}`);
    else lines[lines.length - 1] = line;
  }
  return lines;
}

const SERVICES = { submission: '', mx: 'MX, ', lmtp: 'LMTP, ' };
const TLS = { implicit: 'implicit TLS', required: 'STARTTLS required', offered: 'STARTTLS offered', none: 'no TLS' };
const BEFORE_TLS: Readonly<Record<ListenerSettings['tls'], string | undefined>> = {
  implicit: 'TLS comes first',
  required: 'STARTTLS comes first',
  offered: undefined,
  none: undefined,
};
const WIDTH = 100;
