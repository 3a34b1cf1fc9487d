import { CHANNEL_BINDING_POLICIES, type Config } from './config.ts';
import { LOG_FORMS } from './log.ts';
import { SERVE_OPTIONS } from './option-table.ts';
import { parseStrictly } from './parse-strictly.ts';
import { redactSpec } from './redact-spec.ts';
import { UsageError } from './usage-error.ts';

/** What the options of `serve` and `explain` say. */
export interface Options {
  readonly config: Config;
  readonly configFile: string | undefined;
}

/** Parses the options of `serve` and `explain`. Values are looked into later, when those of the config file are. Throws a UsageError. */
export function parseOptions(argv: readonly string[]): Options {
  const {
    listen,
    auth,
    mechanisms,
    deliver,
    notify,
    recipients,
    domains,
    aliases,
    hostname,
    log,
    lenient,
    workers,
    'channel-binding': binding,
    'allow-cleartext': cleartext,
    config: configFile,
    ...files
  } = parse(argv);
  const cert = files['tls-cert'];
  const key = files['tls-key'];
  if (cert !== undefined && key === undefined) throw new UsageError('--tls-cert: expected --tls-key FILE with it');
  if (key !== undefined && cert === undefined) throw new UsageError('--tls-key: expected --tls-cert FILE with it');
  const clientCa = files['tls-client-ca'];
  const passphraseFile = files['tls-passphrase-file'];
  for (const name of ['tls-client-ca', 'tls-passphrase-file'] as const) {
    if (files[name] === undefined || cert !== undefined) continue;
    throw new UsageError(`--${name}: expected --tls-cert FILE and --tls-key FILE with it`);
  }
  const ownSenders = files['own-senders'];
  const recipientDelimiter = files['recipient-delimiter'];
  const form = LOG_FORMS.find((one) => one === log);
  if (log !== undefined && form === undefined) throw new UsageError(`--log: expected ${LOG_FORMS.join(' or ')}`);
  const channelBinding = CHANNEL_BINDING_POLICIES.find((word) => word === binding);
  if (binding !== undefined && channelBinding === undefined) {
    throw new UsageError(`--channel-binding: expected ${CHANNEL_BINDING_POLICIES.join(', ')}`);
  }
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
      ...(notify !== undefined && { notify }),
      ...(recipients && { recipients }),
      ...(domains !== undefined && { domains }),
      ...(aliases !== undefined && { aliases }),
      ...(ownSenders !== undefined && { ownSenders }),
      ...(recipientDelimiter !== undefined && { recipientDelimiter }),
      ...(files['scram-key'] !== undefined && { scramKey: files['scram-key'] }),
      ...(hostname !== undefined && { hostname }),
      ...(cert !== undefined &&
        key !== undefined && {
          tls: {
            cert,
            key,
            ...(passphraseFile !== undefined && { passphraseFile }),
            ...(clientCa !== undefined && { clientCa }),
          },
        }),
      ...(form && { log: form }),
      ...(lenient !== undefined && { lenient }),
      ...(workers !== undefined && { workers: workers === 'auto' ? workers : Number(workers) }),
    },
    configFile,
  };
}

/** The option that a property of the configuration is on the command line. */
export function optionOf(key: keyof Config): string {
  if (key === 'tls') return '--tls-cert';
  if (key === 'allowCleartext') return '--allow-cleartext';
  if (key === 'ownSenders') return '--own-senders';
  if (key === 'recipientDelimiter') return '--recipient-delimiter';
  if (key === 'scramKey') return '--scram-key';
  return key === 'sasl' ? '--mechanisms' : `--${key}`;
}

function splitList(list: string): readonly string[] {
  return list.split(/[\s,]+/).filter((word) => word !== '');
}

function parse(argv: readonly string[]) {
  const { values, tokens, positionals } = parseStrictly(argv, SERVE_OPTIONS, 'serve');
  const [positional] = positionals;
  if (positional !== undefined)
    throw new UsageError(`${redactSpec(positional)}: expected an option, such as --listen URL`);
  const given = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    if (given.has(token.name) && !MULTIPLE.has(token.name)) throw new UsageError(`--${token.name}: expected only once`);
    given.add(token.name);
  }
  return values;
}

const MULTIPLE: ReadonlySet<string> = new Set(
  Object.entries(SERVE_OPTIONS).flatMap(([name, option]) => ('multiple' in option ? [name] : [])),
);
