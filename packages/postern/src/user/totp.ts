import { hostname } from 'node:os';
import { printable } from '@postern/esmtp';
import { generateTotp, otpauthUrl, type TotpRecord, totpCode, type UserRecord } from '@postern/users';
import { CommandError, UsageError } from '../errors.ts';
import { findUser, updateUser } from './find-user.ts';
import { CANCELLED } from './new-password.ts';
import type { UserArguments, UserContext } from './user-context.ts';

/**
 * Adds one-time codes as a second factor, or removes them. The secret is stored only after a first
 * code that the user's app shows: a wrong clock, or a secret that the app did not take, would lock
 * the user out.
 */
export async function setTotp(
  { names: [name = ''], options }: UserArguments<'totp'>,
  context: UserContext,
): Promise<number> {
  if (options.remove === true) return await removeTotp(name, context);
  const confirms = options['no-confirm'] !== true;
  if (confirms && !context.terminal.isInteractive) {
    throw new UsageError('--no-confirm: expected where no terminal can ask for a first code');
  }
  const user = await findUser(name, context);
  expectNone(user);
  const totp = generateTotp();
  const url = otpauthUrl(totp, { issuer: options.issuer ?? hostname(), account: user.name });
  await context.print(`${context.terminal.isInteractive ? await qrCode(url) : ''}${url}\n`);
  const lastStep = confirms ? await confirmedStep(totp, context) : undefined;
  const record: TotpRecord = { ...totp, ...(lastStep !== undefined && { lastStep }) };
  // Another operator may have added one meanwhile, with a secret that the user's app has.
  const add = (stored: UserRecord): UserRecord => ({ ...expectNone(stored), totp: record });
  await updateUser(name, add, context);
  await context.print(
    `added the second factor of ${printable(user.name)}: a login needs the password with the code behind it, ` +
      'or an application password\n',
  );
  return 0;
}

/** @throws CommandError if the user has a second factor. */
function expectNone(user: UserRecord): UserRecord {
  if (user.totp === undefined) return user;
  throw new CommandError(`${JSON.stringify(user.name)} has a second factor already; --remove removes it`);
}

async function removeTotp(name: string, context: UserContext): Promise<number> {
  let had = false;
  const user = await updateUser(
    name,
    ({ totp, ...stored }) => {
      had = totp !== undefined;
      return had ? stored : undefined;
    },
    context,
  );
  if (!had) throw new CommandError(`${JSON.stringify(user.name)} has no second factor`);
  await context.print(`removed the second factor of ${printable(user.name)}\n`);
  return 0;
}

/**
 * Asks for a code until one is right. Resolves to its step, which cannot be used a second time.
 *
 * @throws CommandError if the operator cancels, or after {@link MAX_CODES} wrong codes.
 */
async function confirmedStep(totp: TotpRecord, { terminal, warn }: UserContext): Promise<number> {
  for (let attempt = 1; attempt <= MAX_CODES; attempt++) {
    const answer = await terminal.ask('The code that the app shows: ');
    if (answer === undefined) throw new CommandError(CANCELLED);
    const code = answer.replaceAll(/\s/g, '');
    const now = Date.now();
    // The clock of a phone may differ (RFC 6238 §5.2).
    const time = [0, -STEP_MS, STEP_MS].map((offset) => now + offset).find((when) => totpCode(totp, when) === code);
    if (time !== undefined) return Math.floor(time / STEP_MS);
    await warn('this is not the code; compare the clocks of this machine and of the phone\n');
  }
  throw new CommandError(`${MAX_CODES} wrong codes, and nothing has changed`);
}

/** Returns the QR code of a text, black on white whatever the colours of the terminal. */
async function qrCode(text: string): Promise<string> {
  const { renderUnicodeCompact } = await import('uqr');
  const lines = renderUnicodeCompact(text, { border: 2, invert: true }).split('\n');
  return lines.map((line) => `\u001b[30;107m${line}\u001b[0m\n`).join('');
}

const MAX_CODES = 3;
/** The default period of a {@link TotpRecord}. */
const STEP_MS = 30_000;
