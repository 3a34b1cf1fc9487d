import type { Config } from './config.ts';
import { UsageError } from './errors.ts';
import { LOG_FORMS } from './log.ts';
import { parseArguments, SERVE_OPTIONS } from './option-table.ts';
import { CHANNEL_BINDING_POLICIES, splitList } from './option-values.ts';
import { redactSpec } from './redact-spec.ts';

/** The parsed options of `serve` and `explain`. */
export interface Options {
  readonly config: Config;
  /** The value of `--config`. */
  readonly configFile: string | undefined;
  /** True creates the default database with the demo user. */
  readonly demo: boolean;
}

/**
 * Parses the options of `serve` and `explain`. `settingsOf` checks the values, together with those
 * of the config file.
 *
 * @throws UsageError
 */
export function parseOptions(argv: readonly string[]): Options {
  const {
    listen,
    auth,
    mechanisms,
    deliver,
    mailboxes,
    notify,
    recipients,
    domains,
    aliases,
    hostname,
    lenient,
    workers,
    'back-end': backEnd,
    'own-senders': ownSenders,
    'recipient-delimiter': recipientDelimiter,
    'scram-key': scramKey,
    'allow-cleartext': cleartext,
    config: configFile,
    demo = false,
    ...rest
  } = parse(argv);
  const tls = tlsFilesOf(rest);
  const log = wordOf('log', rest.log, LOG_FORMS, ' or ');
  const channelBinding = wordOf('channel-binding', rest['channel-binding'], CHANNEL_BINDING_POLICIES, ', ');
  const sasl = {
    ...(mechanisms !== undefined && { mechanisms: splitList(mechanisms.toUpperCase()) }),
    ...(channelBinding && { channelBinding }),
  };
  return {
    config: {
      ...(listen && { listen }),
      ...(auth && { auth }),
      ...(Object.keys(sasl).length > 0 && { sasl }),
      ...(cleartext !== undefined && { allowCleartext: splitList(cleartext) }),
      ...(deliver !== undefined && { deliver }),
      ...(mailboxes !== undefined && { mailboxes }),
      ...(backEnd && { backEnd }),
      ...(notify !== undefined && { notify }),
      ...(recipients && { recipients }),
      ...(domains !== undefined && { domains }),
      ...(aliases !== undefined && { aliases }),
      ...(ownSenders !== undefined && { ownSenders }),
      ...(recipientDelimiter !== undefined && { recipientDelimiter }),
      ...(scramKey !== undefined && { scramKey }),
      ...(hostname !== undefined && { hostname }),
      ...(tls && { tls }),
      ...(log && { log }),
      ...(lenient !== undefined && { lenient }),
      ...(workers !== undefined && { workers: workers === 'auto' ? workers : Number(workers) }),
    },
    configFile,
    demo,
  };
}

/** Returns the command-line option for a property of the configuration. */
export function optionOf(key: keyof Config): string {
  if (key === 'tls') return '--tls-cert';
  if (key === 'sasl') return '--mechanisms';
  return `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

type Values = ReturnType<typeof parse>;

/** Joins the options for TLS; undefined without any. */
function tlsFilesOf(options: Pick<Values, `tls-${string}` & keyof Values>): Config['tls'] {
  const {
    'tls-cert': cert,
    'tls-key': key,
    'tls-client-ca': clientCa,
    'tls-passphrase-file': passphraseFile,
  } = options;
  if (cert !== undefined && key === undefined) throw new UsageError('--tls-cert: expected --tls-key FILE with it');
  if (key !== undefined && cert === undefined) throw new UsageError('--tls-key: expected --tls-cert FILE with it');
  if (cert !== undefined && key !== undefined) {
    return {
      cert,
      key,
      ...(passphraseFile !== undefined && { passphraseFile }),
      ...(clientCa !== undefined && { clientCa }),
    };
  }
  for (const name of ['tls-client-ca', 'tls-passphrase-file'] as const) {
    if (options[name] === undefined) continue;
    throw new UsageError(`--${name}: expected --tls-cert FILE and --tls-key FILE with it`);
  }
  return undefined;
}

/** Returns an option's value as one of the words that the option takes. */
function wordOf<const W extends string>(
  option: string,
  value: string | undefined,
  words: readonly W[],
  separator: string,
): W | undefined {
  const known = words.find((word) => word === value);
  if (value !== undefined && known === undefined)
    throw new UsageError(`--${option}: expected ${words.join(separator)}`);
  return known;
}

function parse(argv: readonly string[]) {
  const { values, tokens, positionals } = parseArguments(argv, SERVE_OPTIONS, 'serve');
  const [positional] = positionals;
  if (positional !== undefined) {
    throw new UsageError(`${redactSpec(positional)}: expected an option, such as --listen URL`);
  }
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    if (seen.has(token.name) && !MULTIPLE.has(token.name)) throw new UsageError(`--${token.name}: expected only once`);
    seen.add(token.name);
  }
  return values;
}

/** The options that the operator may give several times. */
const MULTIPLE: ReadonlySet<string> = new Set(
  Object.entries(SERVE_OPTIONS).flatMap(([name, option]) => ('multiple' in option ? [name] : [])),
);
