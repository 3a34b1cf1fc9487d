/** One option of a command, in the shape that `parseArgs` of node:util reads, with its line of help. */
export interface OptionEntry {
  readonly type: 'string' | 'boolean';
  /** True if the option may be given several times. */
  readonly multiple?: boolean;
  /** The placeholder of the value in the help: `FILE`. */
  readonly value?: string;
  /** What the option does, in at most 78 columns: for the help. */
  readonly summary: string;
}

/** The options of one command by their names, in the order of the help. */
export type OptionTable = Readonly<Record<string, OptionEntry>>;

/** The options of `postern serve` and `postern explain`. */
export const SERVE_OPTIONS = {
  listen: {
    type: 'string',
    multiple: true,
    value: 'URL',
    summary: 'where to listen; default smtp://127.0.0.1:2500; see postern help listen',
  },
  auth: {
    type: 'string',
    multiple: true,
    value: 'SPEC',
    summary: 'who may log in; default a made-up user guest; see postern help auth',
  },
  deliver: {
    type: 'string',
    value: 'SPEC',
    summary: 'where messages go; default console; see postern help deliver',
  },
  notify: {
    type: 'string',
    value: 'SPEC',
    summary: 'where notifications to senders go (DSN), as for --deliver; default nowhere',
  },
  recipients: {
    type: 'string',
    multiple: true,
    value: 'SPEC',
    summary: 'who lives here; others are refused at RCPT; see postern help recipients',
  },
  domains: {
    type: 'string',
    value: 'LIST',
    summary: "the domains that are ours, with commas, or '*' for every one",
  },
  aliases: { type: 'string', value: 'FILE', summary: 'lines of name: target, target; SIGHUP reads the file again' },
  'own-senders': {
    type: 'string',
    value: 'SPEC',
    summary: 'users or file:FILE: the addresses that each user may send from; default any',
  },
  'recipient-delimiter': {
    type: 'string',
    value: 'CHARS',
    summary: "what separates a tag from a user, or '' for nothing; default +",
  },
  mechanisms: {
    type: 'string',
    value: 'LIST',
    summary: 'exactly these SASL mechanisms, with commas; default see postern explain',
  },
  'channel-binding': {
    type: 'string',
    value: 'WORD',
    summary: 'off, offered or required (SCRAM with -PLUS); default off: shuts out no client',
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
    summary: 'the certificate with its chain, as PEM; SIGHUP reads the file again',
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
    summary: 'take addresses without < >, AUTH after HELO and the like, from old devices',
  },
  'scram-key': {
    type: 'string',
    value: 'FILE',
    summary: 'the server key of SCRAM, made at the first start; stored secrets need it',
  },
  workers: {
    type: 'string',
    value: 'N',
    summary: 'how many processes share the ports, or auto (one for each core); default 1',
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
  user: { type: 'string', value: 'NAME', summary: 'who logs in' },
  mechanism: {
    type: 'string',
    value: 'NAME',
    summary: 'this mechanism only; default the strongest that both sides have',
  },
  authzid: { type: 'string', value: 'NAME', summary: 'the user to act as (authorization identity)' },
  ehlo: { type: 'string', value: 'NAME', summary: 'the name to say with EHLO; default: of the machine' },
  ca: {
    type: 'string',
    value: 'FILE',
    summary: 'authorities that vouch for the server, as PEM; default those of Node',
  },
} as const satisfies OptionTable;
