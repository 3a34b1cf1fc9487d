import { type Address, Anonymous, isDerived, type Mind, type Portal, type TlsFacts } from '@postern/cred';
import type { Policy } from '@postern/esmtp';
import { type Endpoint, formatEndpoint } from '@postern/node';
import { type Challenger, explain } from '@postern/sasl';
import { isLocalOnly } from './local-only.ts';
import type { ListenerSettings } from './settings.ts';

/** The mechanisms there are, those among them that the server has, and who judges their credentials. */
export interface Mechanisms {
  readonly known: readonly Challenger[];
  readonly offered: readonly Challenger[];
  readonly portal: Portal;
  /** False where ANONYMOUS is left out, although there is a checker for guests. */
  readonly acceptsGuests: boolean;
}

/** For one listener every known mechanism, whether it is offered before and after TLS, and if not, why: a table for the operator. */
export function explainListener(
  listener: ListenerSettings,
  authentication: Policy['authentication'],
  { known, offered, portal, acceptsGuests }: Mechanisms,
): string {
  const { endpoint, service } = listener;
  const remote = clientOf(endpoint);
  const names = new Set(offered.map(({ mechanism }) => mechanism));
  const why = (challenger: Challenger, tls?: TlsFacts) => {
    if (authentication === 'none') return 'nobody authenticates here';
    const { credentials, mechanism } = challenger;
    if (names.has(mechanism) || !portal.handles(credentials)) return explain(challenger, portal, mindOf(remote, tls));
    return isDerived(credentials, Anonymous) && !acceptsGuests
      ? 'needs --auth anonymous'
      : 'not among the mechanisms wanted';
  };
  const rows = [
    ['mechanism', 'before TLS', 'after TLS'],
    ...known.map((challenger) => [
      challenger.mechanism,
      beforeTls(listener, () => why(challenger)),
      afterTls(listener, () => why(challenger, someTls)),
    ]),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const table = rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd(),
  );
  const who = remote === ANOTHER_MACHINE ? 'other machines' : 'this machine';
  const facts = `${SERVICES[service]}${TLS[listener.tls]}, authentication ${authentication}`;
  return `${formatEndpoint(endpoint)}: ${facts}, for clients on ${who}\n${table.join('\n')}\n`;
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

/** Who can come to a listener: from this machine only, or, which matters more, from others too. */
function clientOf(endpoint: Endpoint): Address {
  if ('path' in endpoint) return BY_SOCKET;
  return isLocalOnly(endpoint) ? THIS_MACHINE : ANOTHER_MACHINE;
}

function mindOf(remote: Address, tls: TlsFacts | undefined): Mind {
  return {
    protocol: 'smtp',
    remote,
    local: THIS_MACHINE,
    tls,
    clientName: undefined,
    signal: new AbortController().signal,
    store: new Map(),
  };
}

const SERVICES = { submission: '', mx: 'MX, ', lmtp: 'LMTP, ' };
const TLS = { implicit: 'implicit TLS', required: 'STARTTLS required', offered: 'STARTTLS offered', none: 'no TLS' };

const THIS_MACHINE: Address = { family: 'IPv4', address: '127.0.0.1', port: 0 };
const BY_SOCKET: Address = { family: 'unix', address: '', port: 0 };
/** RFC 5737 §3. */
const ANOTHER_MACHINE: Address = { family: 'IPv4', address: '192.0.2.1', port: 0 };

/** What most clients will have: TLS 1.3, and no certificate of their own. */
const someTls: TlsFacts = {
  version: 'TLSv1.3',
  cipher: 'TLS_AES_256_GCM_SHA384',
  serverName: undefined,
  peerCertificate: undefined,
  channelBinding: () => new Uint8Array(32),
};
