import { type Address, parseAddress } from '@postern/core';
import type { MailProtocol } from './mail-replies.ts';

/** A request of nginx's `auth_http`, of any HTTP server. */
export interface NginxMailRequest {
  /**
   * The names and values of the header, in turn, as `rawHeaders` of `node:http` has them. A value
   * has one character for each octet (latin1).
   */
  readonly headers: readonly string[];
  /** The address that nginx has connected to. Default: a UNIX socket. */
  readonly local?: Address;
  /** Aborts when nginx disconnects. Default: never. */
  readonly signal?: AbortSignal;
}

/** The header of a request, and the parts that each request has. */
export interface MailHeader {
  readonly protocol: MailProtocol;
  readonly method: string;
  /** The client's address. */
  readonly remote: Address;
  /** The number of this login on the client's connection, from 1 on. */
  readonly attempt: number;
  /** Returns the value of a field by its name in lower case; undefined if it is absent. */
  readonly field: (name: string) => string | undefined;
}

/** Parses the header of a request. Returns undefined for a request that is not nginx's. */
export function parseMailHeader({ headers }: NginxMailRequest): MailHeader | undefined {
  const fields = new Map<string, string>();
  for (let index = 0; index + 1 < headers.length; index += 2) {
    const name = String(headers[index]).toLowerCase();
    if (!OWN_FIELD.test(name)) continue;
    // nginx sends each field once. Two values would be read in two ways by two programs.
    if (fields.has(name)) return undefined;
    fields.set(name, String(headers[index + 1]));
  }
  const protocol = fields.get('auth-protocol');
  const method = fields.get('auth-method');
  const remote = clientAddress(fields.get('client-ip'));
  const attempt = fields.get('auth-login-attempt') ?? '1';
  if (!isProtocol(protocol) || method === undefined || remote === undefined || !ATTEMPT.test(attempt)) return undefined;
  return { protocol, method, remote, attempt: Number(attempt), field: (name) => fields.get(name) };
}

/** nginx names the client of a UNIX socket `unix:`. */
function clientAddress(text: string | undefined): Address | undefined {
  if (text === 'unix:') return { family: 'unix', address: '', port: 0 };
  return text === undefined ? undefined : parseAddress(text, undefined);
}

function isProtocol(text: string | undefined): text is MailProtocol {
  return text === 'smtp' || text === 'imap' || text === 'pop3';
}

const OWN_FIELD = /^(?:auth-|client-|proxy-protocol-|x-auth-key$)/;
const ATTEMPT = /^[1-9]\d{0,8}$/;
