import { after } from '@postern/core';
import { UsernamePassword } from '@postern/cred';
import { decodeBase64, decodeUtf8, encodeUtf8, MalformedResponse, usernamePassword } from '@postern/sasl';
import { quote } from '../schemes/auth-params.ts';
import { type HttpScheme, NO_FIELDS } from '../schemes/scheme.ts';

/**
 * Returns the Basic scheme (RFC 7617): a user name and a password in base64. The challenge asks for
 * UTF-8. Octets that are not UTF-8 are read as ISO 8859-1, which older clients send.
 */
export function basic(): HttpScheme {
  return {
    name: 'Basic',
    credentials: UsernamePassword,
    exposesSecret: true,
    serve({ realm }) {
      const challenges = [`Basic realm=${quote(realm)}, charset="UTF-8"`];
      return {
        challenges: () => challenges,
        logIn: ({ credentials, authenticate }) =>
          after(
            authenticate(() => credentialsOf(credentials)),
            (login) => ({ login, headers: NO_FIELDS }),
          ),
      };
    },
  };
}

/** Reads `user-id ":" password` in base64 (RFC 7617 §2). */
function credentialsOf(base64: string): UsernamePassword {
  const octets = decodeBase64(base64);
  if (octets === undefined) throw new MalformedResponse('the credentials of Basic are not base64', 'encoding');
  const userPass = inUtf8(octets);
  const colon = userPass.indexOf(COLON);
  if (colon < 0) throw new MalformedResponse('the credentials of Basic have no colon');
  for (const octet of userPass) {
    if (octet < 0x20 || octet === 0x7f) throw new MalformedResponse('the credentials of Basic have control characters');
  }
  return usernamePassword(userPass.subarray(0, colon), userPass.subarray(colon + 1));
}

/** A text in ISO 8859-1 with a letter outside ASCII is hardly ever well-formed UTF-8 by chance. */
function inUtf8(octets: Uint8Array): Uint8Array {
  return decodeUtf8(octets) === undefined ? encodeUtf8(Buffer.from(octets).toString('latin1')) : octets;
}

const COLON = 0x3a;
