import { preparePassword } from '@postern/sasl';
import { generatePassword } from '@postern/users';
import { CommandError, UsageError } from '../errors.ts';
import type { UserContext } from './user-context.ts';

/** A password to store, and the line that prints it if the command made it up. */
export interface NewPassword {
  readonly password: string;
  /** The empty string for a password that the operator knows. */
  readonly announcement: string;
}

/**
 * Resolves to a new password: a random one, or the operator's, which the terminal asks for twice.
 * Without a terminal the password is the next line of the standard input. Warns of a password that
 * can be guessed.
 *
 * @throws UsageError for a text that cannot be a password.
 * @throws CommandError if the operator cancels, or types two different passwords.
 */
export async function newPassword(
  name: string,
  { generate }: { readonly generate: boolean | undefined },
  { terminal, warn }: Pick<UserContext, 'terminal' | 'warn'>,
): Promise<NewPassword> {
  if (generate === true) {
    const password = generatePassword();
    return { password, announcement: `The password is ${password}\n` };
  }
  const password = await terminal.askSecret(`New password of ${name}: `);
  if (password === undefined && !terminal.isInteractive) {
    throw new UsageError('the standard input: expected the password on one line, or --generate');
  }
  if (password === undefined) throw new CommandError(CANCELLED);
  if (preparePassword(password) === undefined) {
    throw new UsageError('the password: expected 1 to 4,096 octets, without NUL');
  }
  if (terminal.isInteractive) {
    const again = await terminal.askSecret('The same again: ');
    if (again === undefined) throw new CommandError(CANCELLED);
    if (again !== password) throw new CommandError('the two passwords differ, and nothing has changed');
  }
  if (Array.from(password).length < MIN_CHARACTERS || password.toLowerCase() === name.toLowerCase()) {
    await warn(
      `an attacker can guess this password: a better one has ${MIN_CHARACTERS} characters or more and is not the name\n`,
    );
  }
  return { password, announcement: '' };
}

/** The reason for which a command ends when the operator cancels a question. */
export const CANCELLED = 'cancelled, and nothing has changed';
/** NIST SP 800-63B §5.1.1.1. */
const MIN_CHARACTERS = 8;
