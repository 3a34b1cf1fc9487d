import type { SecretOptions, UserRecord } from '@postern/users';
import type { OpenUsers } from './open-users.ts';
import type { UserStoreChecker } from './user-store-checker.ts';

/**
 * Returns the lines that say what the users of a store can do, and why mechanisms are not offered.
 * Reads every user of a database.
 */
export async function explainUsers(
  checker: UserStoreChecker,
  { secretOptions }: Pick<OpenUsers, 'secretOptions'>,
): Promise<string> {
  const { name, store } = checker;
  const lines =
    store?.list === undefined ? [] : await countLines(store.list(), secretOptions, store.update !== undefined);
  const judged = checker.credentialInterfaces.map((candidate) => candidate.name);
  return [
    `users of ${name}:`,
    ...lines,
    `  judged by this store: ${judged.length === 0 ? 'nothing' : judged.join(', ')}`,
    ...(checker.withholdsScram ? [NO_KEY] : []),
    '',
  ].join('\n');
}

/** A mechanism is offered only if it works for every user who may log in. */
async function countLines(
  users: AsyncIterable<UserRecord>,
  options: SecretOptions,
  isWritable: boolean,
): Promise<readonly string[]> {
  const { parseSecret } = await import('@postern/users');
  const counts = { all: 0, disabled: 0, withoutPassword: 0, unusable: 0, withoutScram: 0, totp: 0 };
  for await (const { enabled, secrets, totp } of users) {
    counts.all++;
    const kinds = new Set(secrets.map((text) => kindOf(text, parseSecret, options)));
    if (enabled === false) counts.disabled++;
    else if (kinds.has('unusable')) counts.unusable++;
    else if (kinds.size === 0 || (kinds.size === 1 && kinds.has('none'))) counts.withoutPassword++;
    else if (totp !== undefined) counts.totp++;
    else if (!kinds.has('scram') && !kinds.has('clear')) counts.withoutScram++;
  }
  const noScram = isWritable ? NO_SCRAM : NO_SCRAM_READ_ONLY;
  const line = (count: number, one: string, many: string) =>
    count === 0 ? [] : [`  ${count} ${count === 1 ? one : many}`];
  return [
    `  ${counts.all} ${counts.all === 1 ? 'user' : 'users'}`,
    ...line(counts.disabled, 'is disabled', 'are disabled'),
    ...line(counts.withoutPassword, 'has no password', 'have no password'),
    ...line(counts.unusable, 'has a secret that cannot be used', 'have a secret that cannot be used'),
    ...line(counts.withoutScram, `has no SCRAM secret, ${noScram}`, `have no SCRAM secret, ${noScram}`),
    ...line(counts.totp, `has a second factor, ${TOTP}`, `have a second factor, ${TOTP}`),
  ];
}

type ParseSecret = typeof import('@postern/users')['parseSecret'];

function kindOf(text: string, parseSecret: ParseSecret, options: SecretOptions): string {
  try {
    return parseSecret(text, options).kind;
  } catch {
    return 'unusable';
  }
}

const NO_KEY = '  SCRAM is not offered without a server key that outlives the process: add --scram-key FILE';
const NO_SCRAM = 'so that SCRAM is not offered; a login with PLAIN or LOGIN stores one';
const NO_SCRAM_READ_ONLY = 'so that SCRAM is not offered; this store keeps no new secrets';
const TOTP = 'so that only PLAIN and LOGIN are offered';
