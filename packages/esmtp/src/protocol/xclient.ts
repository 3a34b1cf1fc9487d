import { decodeUtf8, saslprep } from '@postern/sasl';
import { isAddressLiteral, isHostName } from './domain.ts';
import type { ForwardedInfo, HostAddress } from './forwarded.ts';
import { decodeXtext } from './xtext.ts';

/**
 * Parses the attributes of XCLIENT, with values in xtext (Postfix XCLIENT_README):
 * `ADDR=192.0.2.1 LOGIN=ann`. Returns undefined for any other text.
 */
export function parseXclient(argument: string): ForwardedInfo | undefined {
  const info = new Map<keyof ForwardedInfo, unknown>();
  for (const word of argument.split(' ')) {
    if (word === '') continue;
    const [, name = '', xtext = ''] = /^([A-Z]+)=(.+)$/i.exec(word) ?? [];
    const attribute = attributes.get(name.toUpperCase());
    const value = decodeXtext(xtext);
    if (attribute === undefined || value === undefined || value === '' || info.has(attribute.property))
      return undefined;
    const isUnknown = UNKNOWN.has(value.toUpperCase());
    const parsed = isUnknown ? undefined : attribute.parse(value);
    if (parsed === undefined && !isUnknown) return undefined;
    info.set(attribute.property, parsed);
  }
  return info.size === 0 ? undefined : (Object.fromEntries(info) as ForwardedInfo);
}

interface Attribute<P extends keyof ForwardedInfo = keyof ForwardedInfo> {
  readonly property: P;
  /**
   * Parses a value, which has one character for each octet. Returns undefined for an invalid value.
   */
  readonly parse: (value: string) => ForwardedInfo[P];
}

function attribute<P extends keyof ForwardedInfo>(property: P, parse: Attribute<P>['parse']): Attribute {
  return { property, parse };
}

function parseName(value: string): string | undefined {
  return isHostName(value) && /^[!-~]+$/.test(value) ? value : undefined;
}

function parseAddress(value: string): HostAddress | undefined {
  if (!isAddressLiteral(`[${value}]`)) return undefined;
  if (!/^IPv6:/i.test(value)) return { family: 'IPv4', address: value };
  const address = value.slice('IPv6:'.length).toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  return mapped === undefined ? { family: 'IPv6', address } : { family: 'IPv4', address: mapped };
}

function parsePort(value: string): number | undefined {
  return /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : undefined;
}

function parseProtocol(value: string): 'SMTP' | 'ESMTP' | undefined {
  const protocol = value.toUpperCase();
  return protocol === 'SMTP' || protocol === 'ESMTP' ? protocol : undefined;
}

function parseHelo(value: string): string | undefined {
  return /^[!-~]{1,255}$/.test(value) ? value : undefined;
}

/** Prepares the name as SASL mechanisms do (RFC 4013): otherwise one user would have two names. */
function parseLogin(value: string): string | undefined {
  const login = decodeUtf8(Buffer.from(value, 'latin1'));
  return login === undefined ? undefined : saslprep(login, 'query');
}

const attributes: ReadonlyMap<string, Attribute> = new Map([
  ['NAME', attribute('name', parseName)],
  ['ADDR', attribute('address', parseAddress)],
  ['PORT', attribute('port', parsePort)],
  ['PROTO', attribute('protocol', parseProtocol)],
  ['HELO', attribute('helo', parseHelo)],
  ['LOGIN', attribute('login', parseLogin)],
  ['DESTADDR', attribute('destinationAddress', parseAddress)],
  ['DESTPORT', attribute('destinationPort', parsePort)],
]);

/** The values of an attribute that the peer does not know, permanently or for now. */
const UNKNOWN: ReadonlySet<string> = new Set(['[UNAVAILABLE]', '[TEMPUNAVAIL]']);

/** The attributes in the order in which EHLO lists them. */
export const XCLIENT_ATTRIBUTES: readonly string[] = [...attributes.keys()];
