import { encodeUtf8 } from '../bytes.ts';
import { SaslFailure } from './errors.ts';
import type { Say } from './responder.ts';

/**
 * Sends the client's last message.
 *
 * @throws SaslFailure if the server answers with a challenge.
 */
export async function sayLast(say: Say, message: Uint8Array): Promise<void> {
  if ((await say(message)) !== undefined) throw new SaslFailure('the server asks for more than the mechanism has');
}

/**
 * Sends a message, and returns the server's challenge.
 *
 * @throws SaslFailure if the server reports success.
 */
export async function sayMore(say: Say, message: Uint8Array | undefined): Promise<Uint8Array> {
  const challenge = await say(message);
  if (challenge === undefined) throw new SaslFailure('the server reported success before the end of the exchange');
  return challenge;
}

/**
 * Returns a text of the user as a field of a message: UTF-8 without NUL. `name` names it in the
 * error.
 *
 * @throws SaslFailure if the text cannot be a field.
 */
export function field(text: string, name: string): Uint8Array {
  if (!text.isWellFormed() || text.includes('\0')) {
    throw new SaslFailure(`the ${name} has characters that the mechanism cannot carry`);
  }
  return encodeUtf8(text);
}

/**
 * Returns a text of the user as a field that is not empty: see {@link field}.
 *
 * @throws SaslFailure if the text is empty or cannot be a field.
 */
export function filledField(text: string, name: string): Uint8Array {
  if (text === '') throw new SaslFailure(`the ${name} is empty`);
  return field(text, name);
}
