import type { IncomingMessage } from 'node:http';
import { type Address, parseAddress, type TlsInfo } from '@postern/core';
import { rawField } from './raw-field.ts';

/** The options that name the proxies in front of a server. */
export interface ProxyOptions {
  /**
   * The proxies that describe their client in fields of the request. Such a proxy must set or
   * remove these fields in each request, because a client can send them too. Default: none, so that
   * no client can choose its address or claim TLS.
   */
  readonly trustProxy?: (peer: Address) => boolean;
  /**
   * The fields of the trusted proxies: `X-Forwarded-For` and `X-Forwarded-Proto`, or `Forwarded`
   * (RFC 7239). The adapter ignores all other fields. Default: `x-forwarded`.
   */
  readonly proxyFields?: 'x-forwarded' | 'forwarded';
}

/** The client of a trusted proxy, as the proxy describes the client. */
export interface ForwardedClient {
  readonly remote: Address;
  /** The TLS between the client and the proxies; undefined without TLS on each hop. */
  readonly tls: TlsInfo | undefined;
}

/**
 * Returns the client of a request by a trusted proxy: the last address that is no such proxy.
 * Returns undefined if the peer is itself the client, as for a health check of the proxy. Returns
 * `malformed` if the client cannot be told from the proxy: a client could otherwise void the field
 * that its proxy appends to.
 */
export function forwardedClient(
  peer: Address,
  request: Pick<IncomingMessage, 'rawHeaders'>,
  { trustProxy, proxyFields = 'x-forwarded' }: ProxyOptions,
): ForwardedClient | 'malformed' | undefined {
  if (trustProxy === undefined || !trustProxy(peer)) return undefined;
  const hops = proxyFields === 'forwarded' ? hopsOfForwarded(request) : hopsOfXForwarded(request);
  if (hops === undefined || hops === 'malformed') return hops;
  let remote = peer;
  let isSecure = true;
  // The nearest proxy has added its client at the end.
  for (const { address, isHttps } of hops.reverse()) {
    if (!trustProxy(remote)) break;
    isSecure &&= isHttps;
    if (address === undefined) return 'malformed';
    if (address === 'hidden') break;
    remote = address;
  }
  return { remote, tls: isSecure ? FORWARDED_TLS : undefined };
}

/** The TLS between a client and a proxy, of which the proxy describes no detail. */
export const FORWARDED_TLS: TlsInfo = Object.freeze({
  version: 'unknown',
  cipher: 'unknown',
  serverName: undefined,
  peerCertificate: undefined,
  channelBinding: () => undefined,
});

/** One proxy's description of its client. */
interface Hop {
  /** `hidden` if the proxy names none, and undefined for text that is no address. */
  readonly address: Address | 'hidden' | undefined;
  readonly isHttps: boolean;
}

/** Some proxies set one X-Forwarded-Proto for all hops, so each value of it must be `https`. */
function hopsOfXForwarded(request: Pick<IncomingMessage, 'rawHeaders'>): Hop[] | undefined {
  const clients = listOf(rawField(request, 'x-forwarded-for'));
  const schemes = listOf(rawField(request, 'x-forwarded-proto'));
  if (clients === undefined && schemes === undefined) return undefined;
  const isHttps = schemes?.every((scheme) => scheme.toLowerCase() === 'https') === true;
  if (clients === undefined) return [{ address: 'hidden', isHttps }];
  return clients.map((client) => ({ address: nodeAddress(client), isHttps }));
}

function hopsOfForwarded(request: Pick<IncomingMessage, 'rawHeaders'>): Hop[] | 'malformed' | undefined {
  const text = joined(rawField(request, 'forwarded'));
  if (text === undefined) return undefined;
  const hops: Hop[] = [];
  let params = new Map<string, string>();
  const pair = new RegExp(PAIR);
  while (pair.lastIndex < text.length) {
    const [, name, token, quoted = '', end] = pair.exec(text) ?? [];
    if (name === undefined || params.has(name.toLowerCase())) return 'malformed';
    params.set(name.toLowerCase(), token ?? quoted.replace(/\\(.)/gs, '$1'));
    if (end === ';' && pair.lastIndex < text.length) continue;
    const isHttps = params.get('proto')?.toLowerCase() === 'https';
    hops.push({ address: nodeAddress(params.get('for') ?? 'unknown'), isHttps });
    params = new Map();
  }
  return hops;
}

/**
 * Parses an address, with a port or without: `192.0.2.1:47011`, `[2001:db8::1]`. Returns `hidden`
 * for `unknown` and for an obfuscated identifier (RFC 7239 §6.2 and §6.3).
 */
function nodeAddress(text: string): Address | 'hidden' | undefined {
  if (HIDDEN.test(text)) return 'hidden';
  const [, inBrackets, ipv4, port] = NODE.exec(text) ?? [];
  return parseAddress(inBrackets ?? ipv4 ?? text, port);
}

function listOf(field: string | readonly string[] | undefined): string[] | undefined {
  return joined(field)
    ?.split(',')
    .map((value) => value.trim());
}

/** A proxy may empty a field of its client: an empty field counts as missing. */
function joined(field: string | readonly string[] | undefined): string | undefined {
  return (typeof field === 'object' ? field.join() : field) || undefined;
}

/** `node` of RFC 7239 §6 with an IP address. */
const NODE = /^(?:\[([^\]]+)\]|([\d.]+))(?::(\d{1,5}|_[\w.-]+))?$/;

/** `node` of RFC 7239 §6 without an IP address. */
const HIDDEN = /^(?:unknown|_[\w.-]+)(?::(?:\d{1,5}|_[\w.-]+))?$/i;

/** `forwarded-pair` of RFC 7239 §4 and the separator behind it. */
const PAIR =
  /[\t ]*([!#$%&'*+\-.^`|~\w]+)=(?:([!#$%&'*+\-.^`|~\w]+)|"((?:[\t\x20\x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t\x20-\x7e\x80-\xff])*)")[\t ]*([;,]|$)/y;
