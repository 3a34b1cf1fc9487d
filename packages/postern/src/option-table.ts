import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UsageError } from './errors.ts';
import { suggestion } from './suggest.ts';

/**
 * One option of a command, in the form that `parseArgs` of node:util reads, with its line of help.
 */
export interface OptionEntry {
  readonly type: 'string' | 'boolean';
  /** True if the operator may give the option several times. */
  readonly multiple?: boolean;
  /** The placeholder of the value in the help: `FILE`. */
  readonly value?: string;
  /** The line of help, at most 78 columns. */
  readonly summary: string;
}

/** The options of one command by their names, in the order of the help. */
export type OptionTable = Readonly<Record<string, OptionEntry>>;

/**
 * Parses the arguments of a command by the table of its options.
 *
 * @param page The help page of the command: `serve`.
 * @throws UsageError that names the wrong option, the nearest known option and the help page.
 */
export function parseArguments<const T extends OptionTable>(argv: readonly string[], options: T, page: string) {
  const config = { args: [...argv], options, strict: true, allowPositionals: true, tokens: true } as const;
  try {
    return parseArgs(config satisfies ParseArgsConfig);
  } catch (error) {
    // Node's first sentence names the option; the rest is about values that begin with a dash.
    const [sentence = ''] = (error instanceof Error ? error.message : String(error)).split(/\.? To specify|\n/);
    const unknown = /^Unknown option '--?(.*?)'/s.exec(sentence)?.[1];
    const names = Object.keys(options).map((name) => `--${name}`);
    const hint = unknown === undefined ? '' : suggestion(`--${unknown}`, names);
    throw new UsageError(`${sentence}; expected the options of postern ${page} --help${hint}`, { cause: error });
  }
}

/** The options of `postern serve` and `postern explain`. */
export const SERVE_OPTIONS = {
  listen: {
    type: 'string',
    multiple: true,
    value: 'URL',
    summary: 'a listener; default smtp://127.0.0.1:2500; see postern help listen',
  },
  auth: {
    type: 'string',
    multiple: true,
    value: 'SPEC',
    summary: 'a user database; default postern.db, or a made-up user; see postern help auth',
  },
  demo: { type: 'boolean', summary: 'without --auth: keep the users in postern.db, with a user demo at first' },
  deliver: {
    type: 'string',
    value: 'SPEC',
    summary: 'the target of messages; default console; see postern help deliver',
  },
  mailboxes: {
    type: 'string',
    value: 'SPEC',
    summary: 'the mailboxes that POP3 reads, maildir:DIR; default the Maildirs of --deliver',
  },
  'back-end': {
    type: 'string',
    multiple: true,
    value: 'URL',
    summary: 'the server behind imap:// or sieve:// listeners; see postern help access',
  },
  notify: {
    type: 'string',
    value: 'SPEC',
    summary: 'the target of notifications to senders (DSN), as for --deliver; default none',
  },
  recipients: {
    type: 'string',
    multiple: true,
    value: 'SPEC',
    summary: 'the local recipients; others are refused at RCPT; see postern help recipients',
  },
  domains: {
    type: 'string',
    value: 'LIST',
    summary: "the local domains, separated by commas, or '*' for every domain",
  },
  aliases: { type: 'string', value: 'FILE', summary: 'lines of name: target, target; SIGHUP reloads the file' },
  'own-senders': {
    type: 'string',
    value: 'SPEC',
    summary: 'users or file:FILE: the addresses that each user may send from; default any',
  },
  'recipient-delimiter': {
    type: 'string',
    value: 'CHARS',
    summary: "the characters that separate a tag from a user, or '' for no tags; default +",
  },
  mechanisms: {
    type: 'string',
    value: 'LIST',
    summary: 'exactly these SASL mechanisms, with commas; default: see postern explain',
  },
  'channel-binding': {
    type: 'string',
    value: 'WORD',
    summary: 'off, offered or required (SCRAM with -PLUS); default off: any client can log in',
  },
  'allow-cleartext': {
    type: 'string',
    value: 'LIST',
    summary: 'networks whose clients may send passwords without TLS; default none',
  },
  hostname: { type: 'string', value: 'NAME', summary: "this server's name; default the name of the machine" },
  'tls-cert': {
    type: 'string',
    value: 'FILE',
    summary: 'the certificate with its chain, as PEM; SIGHUP reloads the file',
  },
  'tls-key': { type: 'string', value: 'FILE', summary: 'the key of the certificate, as PEM' },
  'tls-passphrase-file': {
    type: 'string',
    value: 'FILE',
    summary: 'a file with the passphrase of the key on its first line',
  },
  'tls-client-ca': {
    type: 'string',
    value: 'FILE',
    summary: 'authorities of client certificates, as PEM; EXTERNAL needs them',
  },
  lenient: {
    type: 'boolean',
    summary: 'accept addresses without < >, AUTH after HELO and the like, from old devices',
  },
  'scram-key': {
    type: 'string',
    value: 'FILE',
    summary: 'the server key of SCRAM, created at the first start; default: of the database',
  },
  workers: {
    type: 'string',
    value: 'N',
    summary: 'the number of processes that share the ports, or auto (one a core); default 1',
  },
  config: {
    type: 'string',
    value: 'FILE',
    summary: 'a module with defineConfig({…}); default ./postern.config.ts, .mts, .js or .mjs',
  },
  log: { type: 'string', value: 'FORM', summary: 'pretty, json or silent, on the standard error; default pretty' },
} as const satisfies OptionTable;

/** The options of `postern login`. */
export const LOGIN_OPTIONS = {
  user: { type: 'string', value: 'NAME', summary: 'the user who logs in' },
  mechanism: {
    type: 'string',
    value: 'NAME',
    summary: 'this mechanism only; default the strongest that both sides have',
  },
  authzid: { type: 'string', value: 'NAME', summary: 'the user to act as (authorization identity)' },
  ehlo: { type: 'string', value: 'NAME', summary: 'the name to send with EHLO; default the name of the machine' },
  ca: {
    type: 'string',
    value: 'FILE',
    summary: 'authorities of the server certificate, as PEM; default those of Node',
  },
} as const satisfies OptionTable;
