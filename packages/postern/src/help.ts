import { UsageError } from './errors.ts';
import { LOGIN_OPTIONS, type OptionTable, SERVE_OPTIONS } from './option-table.ts';
import type { SpecForms } from './option-values.ts';
import { suggestion } from './suggest.ts';
import { USER_COMMANDS, type UserCommandEntry } from './user/user-commands.ts';

/**
 * Resolves to the help for a command (`serve`) or a topic (`listen`); to the overview without a
 * name. A page loads the tables that it shows.
 *
 * @throws UsageError for any other name, with the nearest one.
 */
export async function help(name?: string): Promise<string> {
  if (name === undefined) return OVERVIEW;
  const page = PAGES.get(name);
  if (page === undefined) {
    const known = [...PAGES.keys()];
    throw new UsageError(`no help for ${JSON.stringify(name)}: expected ${known.join(', ')}${suggestion(name, known)}`);
  }
  return await page();
}

const OVERVIEW = `postern: a mail server for users who log in: submission, LMTP, POP3, and a front for IMAP

  postern serve [options]     run the server until SIGTERM or SIGINT
  postern explain [options]   print the mechanisms that each listener offers, and why not the others
  postern login URL --user NAME [options]
                              log in to any SMTP server as a client and print the dialogue
  postern user COMMAND        add, list and change the users of a database, or import a file of users
  postern help NAME           serve, explain, login, user, listen, auth, deliver, access, recipients
                              or servers
  postern --version

Try it: postern serve --demo prints a command line that sends a first message to it.
`;

function serve(): string {
  return `postern serve [options]: run the server until SIGTERM or SIGINT

${options(SERVE_OPTIONS)}

Options override the config file, which holds more settings. Exit codes: 0 after a signal,
1 if the server cannot start, 2 for an error in the options.

A submission server with Maildirs, which the same users read over POP3:
  postern serve --listen smtps://0.0.0.0:465 --listen pop3s://0.0.0.0:995 --domains example.com \\
    --tls-cert fullchain.pem --tls-key privkey.pem --deliver maildir:/var/mail/postern
`;
}

function explain(): string {
  return `postern explain [options]: print the mechanisms that each listener offers, and why not the others

The options are those of postern serve: see postern help serve. The command does not listen.

  postern explain --listen smtps://0.0.0.0:465 --tls-cert fullchain.pem --tls-key privkey.pem
`;
}

function login(): string {
  return `postern login URL --user NAME [options]: log in to any SMTP server as a client and print the dialogue

URL is smtp://HOST[:PORT], with STARTTLS unless ?tls=none, or smtps://HOST[:PORT].

${options(LOGIN_OPTIONS)}

The command asks for the password, or token, at the terminal, or reads the first line of the
standard input.
The dialogue masks secrets. Exit codes: 0 logged in, 1 refused, 2 any other failure.

  postern login smtp://mail.example.com --user ann
`;
}

function user(): string {
  const entries = Object.entries<UserCommandEntry>(USER_COMMANDS);
  const all: OptionTable = Object.assign({}, ...entries.map(([, entry]) => entry.options));
  const width = Math.max(...entries.map((entry) => usageOf(entry).length));
  return `postern user COMMAND [options]: the users of a database

${entries.map((entry) => userCommand(entry, width)).join('\n')}

${options(all)}

Without --db the database is that of POSTERN_DB, or else the only one in auth of the config file, or
else postern.db in the current folder; user add and user import create it. The command asks for
passwords at the terminal, or reads a line of the standard input. No output holds a stored secret.
Exit codes: 0 done, 1 failed, or an import that could not take all users, 2 for an error in the arguments.

  postern user import users.htpasswd --db sqlite:/var/lib/postern/users.db
`;
}

/** Returns the line of a command of `postern user`, with the options of its own. */
function userCommand([name, entry]: readonly [string, UserCommandEntry], width: number): string {
  const own = Object.keys(entry.options).filter((option) => option !== 'db' && option !== 'config');
  const line = `  ${usageOf([name, entry]).padEnd(width)}  ${entry.summary}`;
  return own.length === 0 ? line : `${line} (${own.map((option) => `--${option}`).join(' ')})`;
}

function usageOf([name, entry]: readonly [string, UserCommandEntry]): string {
  return `user ${name} ${entry.arguments}`.trimEnd();
}

async function listen(): Promise<string> {
  const { services } = await import('@postern/esmtp');
  return `--listen URL: a listener; may be given several times

  smtp://HOST:PORT     STARTTLS if there is a certificate; port 0 picks a free one
  smtps://HOST:PORT    TLS from the first byte
  lmtp://HOST:PORT, lmtps://HOST:PORT, lmtp+unix:PATH, smtp+unix:PATH
  pop3://HOST:PORT     STLS if there is a certificate (usual port 110); pop3s:// is TLS (995)
  imap://HOST:PORT     IMAP before a back end (143); imaps:// is TLS (993)
  sieve://HOST:PORT    ManageSieve before a back end (4190)
  pop3+unix:PATH, imap+unix:PATH, sieve+unix:PATH; see postern help access
  dovecot-auth+unix:PATH, http://HOST:PORT and the like; see postern help servers

Parameters follow a question mark, with & between them:

  tls=required         nothing before STARTTLS        tls=none          no STARTTLS
  auth=required        no mail before AUTH            auth=optional     mail without AUTH is anonymous
  auth=none            no AUTH                        mode=660          permissions of a UNIX socket
  service=mx           mail from anywhere             service=submission  mail of users (the default)
  group=postfix        the group of a UNIX socket: a name or a number
  takeover=yes         takes the socket over from a server that runs, and that ends afterwards
  proxy=LIST           addresses and networks whose connections begin with a PROXY header
  xclient=LIST         addresses and networks that may send XCLIENT

POP3, IMAP and ManageSieve take tls, proxy, mode, group and takeover. Each service of SMTP has its own
policy, and a parameter of the same name changes a part of it:

${policies(services)}

  postern serve --listen 'smtp://0.0.0.0:25?service=mx' --listen 'lmtp+unix:/run/postern/lmtp?mode=660'
`;
}

async function auth(): Promise<string> {
  const { authSpecs } = await import('./auth-specs.ts');
  return `--auth SPEC: a user database; may be given several times: the server asks them in this order

${forms(authSpecs)}

A secret in a spec may be env:NAME, the name of an environment variable, or file:PATH, a file with
the secret on its first line. postern user fills a database. The config file also takes your own
checkers and user stores.

Without --auth the server uses postern.db in the current folder, or the database that POSTERN_DB
names. Without such a database the server makes up a user demo and prints the password.

  postern serve --auth sqlite:/var/lib/postern/users.db
`;
}

async function deliver(): Promise<string> {
  const { deliverSpecs } = await import('./deliver-specs.ts');
  return `--deliver SPEC: the target of messages; --notify SPEC: the target of notifications to senders

${forms(deliverSpecs)}

The config file also takes relay({…}), maildir({…}) and your own deliveries.

  postern serve --deliver maildir:/var/mail/postern --notify smtp:relay.example.net:25
`;
}

async function access(): Promise<string> {
  const { mailboxSpecs } = await import('./mailboxes-settings.ts');
  return `POP3, IMAP and ManageSieve: --listen pop3://HOST:PORT and the like, for the users of --auth

--mailboxes SPEC: the mailboxes that POP3 reads; default the Maildirs of --deliver
${forms(mailboxSpecs)}

A user reads the mail of one address: the user name, if it is an address, or else that name at the
first of --domains (or at --hostname). Aliases pass on mail, and give no access to other mailboxes.

--back-end URL: the server behind imap:// or sieve:// listeners; once for each of the two
  imap://HOST:PORT, imaps://HOST:PORT, sieve://HOST:PORT, imap+unix:PATH, sieve+unix:PATH

Each session passes to the server after its login, which needs a user there who may act as others:

  masterUser=NAME      this user                      password=file:PATH  or password=env:NAME
  masterSeparator=*    log in as joe*master; default joe as the authorization identity of PLAIN
  tls=required         STARTTLS and a valid certificate, the default unless the server is on this machine
  tls=offered          any certificate, or no TLS     tls=none          no TLS

  postern serve --listen pop3s://0.0.0.0:995 --listen imaps://0.0.0.0:993 --mailboxes maildir:/var/mail \\
    --back-end 'imap://127.0.0.1:1143?masterUser=postern&password=file:/run/secrets/imap' \\
    --tls-cert fullchain.pem --tls-key privkey.pem --auth sqlite:/var/lib/postern/users.db
`;
}

function servers(): string {
  return `Servers of other projects ask for the users of --auth, with the same throttle and log:

  dovecot-auth+unix:PATH    Postfix (smtpd_sasl_type = dovecot), Exim and chasquid log their clients in
  dovecot-userdb+unix:PATH  chasquid looks up recipients
  saslauthd+unix:PATH       Cyrus SASL checks passwords; PATH ends with /mux
  policy+unix:PATH          Postfix checks senders and recipients (check_policy_service)
  socketmap+unix:PATH       Postfix reads the maps senders and recipients
  http://HOST:PORT          the mail proxy of nginx asks /nginx/mail (auth_http), and its web server
                            /nginx/request (auth_request); https:// is TLS

All but saslauthd also take SCHEME://HOST:PORT. Parameters: mode, group, proxy and takeover of postern
help listen, and of http:

  smtp=IP:PORT, imap=IP:PORT, pop3=IP:PORT   the servers to which nginx connects
  secret=file:PATH or secret=env:NAME        the value of nginx's header X-Auth-Key

A program that reaches such a socket can guess passwords in the name of any client: let only the group
of the mail server in. Policy, socketmap and dovecot-userdb answer by --own-senders, --recipients,
--domains and --aliases.

Postfix and Exim list SCRAM-SHA-1 and SCRAM-SHA-256 only if --mechanisms names them: under TLS, msmtp
1.8.26 would not log in. A user with scopes needs that of the protocol for which the server asks: smtp,
imap, pop3 or managesieve.

  postern serve --auth sqlite:/var/lib/postern/users.db \\
    --listen 'dovecot-auth+unix:/var/spool/postfix/postern/auth?mode=660&group=postfix'
`;
}

function recipients(): string {
  return `--recipients SPEC: the local recipients; may be given several times. Others are refused (550 5.1.1)

  ADDRESS,...            ann@example.com, a name at each domain (ann), or a whole domain (@example.com)
  file:FILE              one of these a line; # begins a comment
  users                  the users of --auth, by address or by name

--domains LIST: the local domains. Without --recipients each local part exists there. Other domains are
refused (550 5.7.1), unless a logged-in user sends to them through the next server. An MX or LMTP
listener with Maildirs needs --recipients or --domains; --domains '*' accepts every address.

--aliases FILE: one alias a line, by name, address or @domain; a line that begins with a blank continues:
  postmaster: ann
  sales@example.com: ann, bob@example.com

--own-senders SPEC: the addresses that a user may send from; others are refused (553 5.7.1)
  users                  the user name, if it is an address, or else that name at each of the domains
  file:FILE              user: address, @domain

SIGHUP reloads all these files. The config file also takes your own objects and functions.

  postern serve --listen 'smtp://0.0.0.0:25?service=mx' --deliver maildir:/var/mail/postern \\
    --domains example.com --recipients ann,bob --aliases aliases
`;
}

/** The pages by their names. A new command or topic is one entry. */
const PAGES: ReadonlyMap<string, Page> = new Map<string, Page>([
  ['serve', serve],
  ['explain', explain],
  ['login', login],
  ['user', user],
  ['listen', listen],
  ['auth', auth],
  ['deliver', deliver],
  ['access', access],
  ['servers', servers],
  ['recipients', recipients],
]);

/** Returns a page, or a promise of a page whose tables are not loaded. */
type Page = () => string | Promise<string>;

/** Returns one line for each option. */
function options(table: OptionTable): string {
  const rows = Object.entries(table).map(([name, { value, summary }]) => ({
    usage: value === undefined ? `--${name}` : `--${name} ${value}`,
    summary,
  }));
  const width = Math.max(...rows.map(({ usage }) => usage.length));
  return rows.map(({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`).join('\n');
}

type Services = typeof import('@postern/esmtp')['services'];

/** Returns the policies of esmtp: a row for each URL parameter, a column for each service. */
function policies(services: Services): string {
  const rows = [
    ['', ...Object.keys(services)],
    ...POLICY.map(([parameter, part]) => [
      `${parameter}=`,
      ...Object.values(services).map((policy) => word(policy[part])),
    ]),
  ];
  return rows.map(([head = '', ...cells]) => `  ${head.padEnd(24)} ${padded(cells)}`).join('\n');
}

/** Returns the value of a URL's parameter for this part of a policy. */
function word(part: string | boolean): string {
  return typeof part === 'string' ? part : part ? 'yes' : 'no';
}

function padded(cells: readonly string[]): string {
  return cells
    .map((cell) => cell.padEnd(12))
    .join('')
    .trimEnd();
}

function forms<T>(specs: SpecForms<T>): string {
  const width = Math.max(...Array.from(specs.values(), ({ usage }) => usage.length));
  return Array.from(specs.values(), ({ usage, summary }) => `  ${usage.padEnd(width)}  ${summary}`).join('\n');
}

/** The parameters of a listener's URL, and the parts of the policy that they set. */
const POLICY = [
  ['auth', 'authentication'],
  ['requireQualifiedDomains', 'requireQualifiedDomains'],
  ['addMissingHeaders', 'addMissingHeaders'],
  ['newlines', 'newlines'],
  ['removeBcc', 'removeBcc'],
  ['omitClientFromReceived', 'omitClientFromReceived'],
] as const;
