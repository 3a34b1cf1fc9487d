import { text } from './bytes.ts';
import { MalformedResponse } from './errors.ts';
import { prepare } from './prepare.ts';

/** The text of a client's response. Throws MalformedResponse if it is not UTF-8. */
export function responseText(response: Uint8Array): string {
  const read = text(response);
  if (read === undefined) throw new MalformedResponse('the response is not UTF-8');
  return read;
}

/**
 * What the client presented, in the form in which it is compared (SASLprep, as a query). Throws MalformedResponse if it has none,
 * under the name given: preparation that fails or comes to nothing fails the authentication (RFC 4616 §2, RFC 4954 §4).
 */
export function prepared(presented: string, name: string): string {
  const form = Buffer.byteLength(presented) > MAX_OCTETS ? undefined : prepare(presented, 'query');
  if (form === undefined)
    throw new MalformedResponse(`the ${name} is empty, too long or holds what SASLprep prohibits`);
  return ownText(form);
}

/** The authorization identity in its prepared form; undefined if there is none, or if it is the authentication identity itself. */
export function preparedAuthzid(presented: string, authcid?: string): string | undefined {
  if (presented === '') return undefined;
  const authzid = prepared(presented, 'authorization identity');
  return authzid === authcid ? undefined : authzid;
}

/** V8 cuts a text out of a longer one without copying it: who keeps the user name would keep the password that came with it. */
function ownText(text: string): string {
  return text.length < SHORTEST_CUT ? text : Buffer.from(text).toString();
}

/** Octets of the longest name. */
const MAX_OCTETS = 1024;

/** What is shorter is copied anyway. */
const SHORTEST_CUT = 13;
