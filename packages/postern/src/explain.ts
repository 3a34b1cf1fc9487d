import { Anonymous, isDerived, type Portal, type TlsFacts } from '@postern/cred';
import type { Policy } from '@postern/esmtp';
import { formatEndpoint } from '@postern/node';
import { type Challenger, explain, type OfferPolicy } from '@postern/sasl';
import { imaginedClient, imaginedMind, imaginedTls } from './imagined-clients.ts';
import { isLocalOnly } from './local-only.ts';
import type { ListenerSettings } from './settings.ts';

/** The mechanisms there are, those among them that the server has, and who judges their credentials. */
export interface Mechanisms {
  readonly known: readonly Challenger[];
  readonly offered: readonly Challenger[];
  readonly portal: Portal;
  /** False where ANONYMOUS is left out, although there is a checker for guests. */
  readonly acceptsGuests: boolean;
  /** Where a mechanism may expose the secret. */
  readonly offer: OfferPolicy;
  /** Why the configuration leaves a mechanism out; undefined if it does not. */
  readonly whyLeftOut: (mechanism: string) => string | undefined;
  /** The common clients that cannot log in at the listener, each with the cause. */
  readonly shutOut: readonly string[];
}

/** For one listener every known mechanism, whether it is offered before and after TLS, and if not, why: a table for the operator. */
export function explainListener(
  listener: ListenerSettings,
  authentication: Policy['authentication'],
  { known, offered, portal, acceptsGuests, offer, whyLeftOut, shutOut }: Mechanisms,
): string {
  const { endpoint, service } = listener;
  const remote = imaginedClient(endpoint);
  const served = new Map(offered.map((challenger) => [challenger.mechanism, challenger]));
  const why = (challenger: Challenger, tls?: TlsFacts) => {
    if (authentication === 'none') return 'nobody authenticates here';
    const { credentials, mechanism } = challenger;
    const ours = served.get(mechanism);
    if (ours !== undefined || !portal.handles(credentials)) {
      return explain(ours ?? challenger, portal, imaginedMind(remote, tls), offer);
    }
    const isGuests = isDerived(credentials, Anonymous) && !acceptsGuests;
    return isGuests ? 'needs --auth anonymous' : (whyLeftOut(mechanism) ?? 'not among the mechanisms wanted');
  };
  const rows = [
    ['mechanism', 'before TLS', 'after TLS'],
    ...known.map((challenger) => [
      challenger.mechanism,
      beforeTls(listener, () => why(challenger)),
      afterTls(listener, () => why(challenger, imaginedTls('TLSv1.3'))),
    ]),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const table = rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd(),
  );
  const who = isLocalOnly(endpoint) ? 'this machine' : 'other machines';
  const clients = shutOut.map((client) => `  shut out: ${client}\n`).join('');
  const facts = `${SERVICES[service]}${TLS[listener.tls]}, authentication ${authentication}`;
  return `${formatEndpoint(endpoint)}: ${facts}, for clients on ${who}\n${table.join('\n')}\n${clients}`;
}

function beforeTls({ tls }: ListenerSettings, why: () => string | undefined): string {
  if (tls === 'implicit') return 'no: TLS comes first';
  if (tls === 'required') return 'no: STARTTLS comes first';
  return verdict(why());
}

function afterTls({ tls }: ListenerSettings, why: () => string | undefined): string {
  return tls === 'none' ? 'no: no TLS here' : verdict(why());
}

function verdict(reason: string | undefined): string {
  return reason === undefined ? 'offered' : `no: ${reason}`;
}

const SERVICES = { submission: '', mx: 'MX, ', lmtp: 'LMTP, ' };
const TLS = { implicit: 'implicit TLS', required: 'STARTTLS required', offered: 'STARTTLS offered', none: 'no TLS' };
