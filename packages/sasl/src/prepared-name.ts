import { UnauthorizedLogin } from '@postern/cred';
import { decodeUtf8 } from './bytes.ts';
import { MalformedResponse } from './errors.ts';
import { saslprep } from './saslprep/saslprep.ts';

/** The text of a client's response. Throws MalformedResponse if it is not UTF-8. */
export function responseText(response: Uint8Array): string {
  const read = decodeUtf8(response);
  if (read === undefined) throw new MalformedResponse('the response is not UTF-8');
  return read;
}

/**
 * Returns a name that the client presented, in the form in which servers compare it (SASLprep, as a
 * query). `kind` says which name that is, for the log.
 *
 * @throws UnauthorizedLogin if the name has no such form, or is longer than 1,024 octets. Such a name
 * is nobody's: the client sent credentials that are not right, in a message of the right syntax.
 */
export function preparedName(presented: string | Uint8Array, kind: string): string {
  const name = typeof presented === 'string' ? presented : decodeUtf8(presented);
  const fits = name !== undefined && Buffer.byteLength(name) <= MAX_NAME_OCTETS;
  const form = fits ? saslprep(name, 'query') : undefined;
  if (form === undefined) {
    throw new UnauthorizedLogin(`the ${kind} is empty, too long, no UTF-8 or holds what SASLprep prohibits`);
  }
  return ownText(form);
}

/**
 * Returns the authorization identity in its prepared form; undefined if there is none, or if it is
 * the authentication identity itself.
 *
 * @throws UnauthorizedLogin as {@link preparedName} does.
 */
export function preparedAuthzid(presented: string | Uint8Array, authcid?: string): string | undefined {
  if (presented.length === 0) return undefined;
  const authzid = preparedName(presented, 'authorization identity');
  return authzid === authcid ? undefined : authzid;
}

/** V8 cuts a text out of a longer one without copying it: who keeps the user name would keep the password that came with it. */
function ownText(text: string): string {
  return text.length < SHORTEST_CUT ? text : Buffer.from(text).toString();
}

/** What is shorter is copied anyway. */
const SHORTEST_CUT = 13;

/** The longest name in octets of UTF-8. RFC 4616 §2 asks for 255. */
const MAX_NAME_OCTETS = 1024;
