import type { Mind } from '@postern/cred';

/** The parts of a request that authentication reads. An adapter needs no `Request` for it. */
export interface HttpRequestInfo {
  /** The method, in the letters of the request: `GET`. */
  readonly method: string;
  /** The request target as received (RFC 9112 §3.2): `/page?x=1`. */
  readonly target: string;
  /**
   * The value of the Authorization field: one character for each octet, as Node and `Headers`
   * return it. Undefined if the request has none. A list if the request has several lines; such a
   * request is malformed.
   */
  readonly authorization: string | readonly string[] | undefined;
  /** The server's knowledge of the client. Its `store` lasts as long as the connection. */
  readonly mind: Mind;
  /**
   * The connection by which secrets arrive, if a trusted server asks for its client. It decides
   * whether Basic and Bearer are offered. Default: the connection of `mind`.
   */
  readonly connection?: Pick<Mind, 'remote' | 'tls'> | undefined;
}

/** A field of a response: its name and its value. Several fields may have one name. */
export type HeaderField = readonly [name: string, value: string];
