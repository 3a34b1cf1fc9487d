import { encodeUtf8 } from '../bytes.ts';
import { SaslFailure } from './errors.ts';
import type { Say } from './responder.ts';

/** Says the client's last message: whatever the server then says but success is trouble. */
export async function sayLast(say: Say, message: Uint8Array): Promise<void> {
  if ((await say(message)) !== undefined) throw new SaslFailure('the server asks for more than the mechanism has');
}

/** Says a message that the server has to answer with a challenge. */
export async function sayMore(say: Say, message: Uint8Array | undefined): Promise<Uint8Array> {
  const challenge = await say(message);
  if (challenge === undefined) throw new SaslFailure('the server reported success before the end of the exchange');
  return challenge;
}

/** What the user gave, as a field of a message: in UTF-8 and without NUL. Throws SaslFailure, under the name given, if it cannot be one. */
export function field(given: string, name: string): Uint8Array {
  if (!given.isWellFormed() || given.includes('\0'))
    throw new SaslFailure(`this ${name} cannot be said in the mechanism`);
  return encodeUtf8(given);
}

/** The same for what must not be empty. */
export function filledField(given: string, name: string): Uint8Array {
  if (given === '') throw new SaslFailure(`the ${name} is empty`);
  return field(given, name);
}
