import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { pipeline } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { LineClient } from './line-client.ts';
import { type Ended, run, words } from './program.ts';

/** A mail server under test. It offers STARTTLS with a certificate of the authority in `ca`. */
export interface MtaTarget {
  readonly port: number;
  /**
   * The port of a tunnel into TLS, for gsasl. Default: gsasl says STARTTLS, which it does without
   * EHLO before it.
   */
  readonly tunnelPort?: number;
  /** The path of the authority's certificate. */
  readonly ca: string;
  /** The authority's certificate in PEM form. */
  readonly authority: string;
}

/** The mechanisms of each client. */
export const CLIENTS = {
  swaks: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
  msmtp: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256', 'OAUTHBEARER'],
  gsasl: ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256'],
  curl: ['OAUTHBEARER'],
} as const;

export type ClientName = keyof typeof CLIENTS;

/** Each client with each of its mechanisms. */
export const CLIENT_MECHANISMS = (Object.keys(CLIENTS) as ClientName[]).flatMap((client) =>
  CLIENTS[client].map((mechanism) => [client, mechanism] as const),
);

/** Logs joe in over STARTTLS. Resolves to true, or to false if the server refuses the login. */
export async function logInWith(
  client: ClientName,
  mechanism: string,
  target: MtaTarget,
  isRight: boolean,
): Promise<{ readonly accepted: boolean; readonly output: string }> {
  const isToken = mechanism === 'OAUTHBEARER';
  const secret = isRight ? (isToken ? 't0ken' : 's3cret') : 'wr0ng';
  const { output } = await RUNS[client](mechanism, secret, target);
  return { accepted: ACCEPTED.test(output), output };
}

/** Opens a session with STARTTLS and returns it after the second EHLO, with both EHLO replies. */
export async function openSession(target: MtaTarget): Promise<{ client: LineClient; clearEhlo: string; ehlo: string }> {
  const tcp = connectTcp(target.port, '127.0.0.1');
  const client = new LineClient(tcp);
  await client.hear();
  const clearEhlo = await client.say('EHLO client.example.com');
  await client.say('STARTTLS');
  const tls = connectTls({ socket: tcp, ca: target.authority, servername: 'localhost' });
  await once(tls, 'secureConnect');
  client.socket = tls;
  return { client, clearEhlo, ehlo: await client.say('EHLO client.example.com') };
}

/** Listens on loopback and connects each client to a port that speaks TLS from the first octet. */
export async function startTunnel(tlsPort: number, ca: string): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((plainSocket) => {
    const tls = connectTls({ port: tlsPort, host: '127.0.0.1', ca, servername: 'localhost' });
    pipeline(plainSocket, tls, plainSocket, () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** Returns the command that logs a user in with PLAIN. */
export function plain(user: string, password: string): string {
  return `AUTH PLAIN ${Buffer.from(`\0${user}\0${password}`).toString('base64')}`;
}

const RUNS: Readonly<Record<ClientName, (mechanism: string, secret: string, target: MtaTarget) => Promise<Ended>>> = {
  swaks: (mechanism, secret, { port, ca }) =>
    run(
      'swaks',
      words`--server localhost:${String(port)} -tls --tls-ca-path ${ca} --tls-verify --auth ${mechanism} --auth-user joe --auth-password ${secret} --quit-after AUTH`,
    ),
  msmtp: (mechanism, secret, { port, ca }) =>
    run(
      'msmtp',
      [
        ...words`--debug --host=localhost --port=${String(port)} --tls=on --tls-trust-file=${ca} --auth=${mechanism.toLowerCase()}`,
        ...words`--user=joe --passwordeval ${`echo ${secret}`} --from=joe@example.com -- joe@example.com`,
      ],
      'Subject: test\n\nHello.\n',
    ),
  gsasl: (mechanism, secret, { port, tunnelPort, ca }) => {
    const tls = tunnelPort === undefined ? words`--starttls --x509-ca-file=${ca}` : ['--no-starttls'];
    return run(
      'gsasl',
      words`--smtp --connect=localhost:${String(tunnelPort ?? port)} --no-cb -m ${mechanism} -a joe -p ${secret} ${tls}`,
    );
  },
  curl: (mechanism, secret, { port, ca }) =>
    run('curl', [
      ...words`--silent --verbose --ipv4 --ssl-reqd --cacert ${ca} --url ${`smtp://localhost:${port}`}`,
      ...words`--login-options AUTH=${mechanism} --user joe --oauth2-bearer ${secret}`,
      ...words`--mail-from joe@example.com --mail-rcpt joe@example.com --upload-file /dev/null`,
    ]),
};

/** gsasl ends with exit code 0 also where it has not tried a login, so the reply decides. */
const ACCEPTED = /^(?:<~?\s+|<-- |< )?235 /m;
