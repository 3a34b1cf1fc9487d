import { UnauthorizedLogin } from '@postern/cred';
import { decodeUtf8 } from './bytes.ts';
import { MalformedResponse } from './errors.ts';
import { saslprep } from './saslprep/saslprep.ts';

/**
 * Returns the text of a client's response.
 *
 * @throws MalformedResponse if it is not UTF-8.
 */
export function responseText(response: Uint8Array): string {
  const text = decodeUtf8(response);
  if (text === undefined) throw new MalformedResponse('the response is not UTF-8');
  return text;
}

/**
 * Returns a name that the client presented, as SASLprep prepares it for a comparison. `kind` names
 * it in the error, for the log.
 *
 * @throws UnauthorizedLogin if the name has no such form, or is longer than 1,024 octets. No user
 * has such a name. The message has the right syntax, so the credentials are wrong and not
 * malformed.
 */
export function preparedName(presented: string | Uint8Array, kind: string): string {
  const name = typeof presented === 'string' ? presented : decodeUtf8(presented);
  const fits = name !== undefined && Buffer.byteLength(name) <= MAX_NAME_OCTETS;
  const prepared = fits ? saslprep(name, 'query') : undefined;
  if (prepared === undefined) {
    throw new UnauthorizedLogin(
      `the ${kind} is empty, too long, not UTF-8, or contains a character that SASLprep prohibits`,
    );
  }
  return copyOf(prepared);
}

/**
 * Returns the authorization identity in its prepared form. Returns undefined if it is empty, or the
 * same as the authentication identity `authcid`.
 *
 * @throws UnauthorizedLogin as {@link preparedName} does.
 */
export function preparedAuthzid(presented: string | Uint8Array, authcid?: string): string | undefined {
  if (presented.length === 0) return undefined;
  const authzid = preparedName(presented, 'authorization identity');
  return authzid === authcid ? undefined : authzid;
}

/**
 * V8 cuts a long text out of another without a copy: a stored user name would keep the password
 * beside it.
 */
function copyOf(text: string): string {
  return text.length < MIN_CUT_CHARACTERS ? text : Buffer.from(text).toString();
}

/** V8 copies shorter cuts by itself. */
const MIN_CUT_CHARACTERS = 13;

/** The longest name in octets of UTF-8. RFC 4616 §2 asks for 255. */
const MAX_NAME_OCTETS = 1024;
