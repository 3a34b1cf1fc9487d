/** Octets of the longest user name or authorization identity, in UTF-8. RFC 4616 §2 asks for 255. */
export const MAX_NAME_OCTETS = 1024;

/** Octets of the longest password, in UTF-8. Services exist whose passwords are signed tokens. */
export const MAX_PASSWORD_OCTETS = 4096;

/** Octets of the longest bearer token: what fits a response of 12,288 octets in base64 (RFC 4954 §4). */
export const MAX_TOKEN_OCTETS = 8192;
