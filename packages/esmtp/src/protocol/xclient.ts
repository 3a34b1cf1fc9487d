import { decodeUtf8, saslprep } from '@postern/sasl';
import { isAddressLiteral, isHostName } from './domain.ts';
import type { ForwardedInfo, HostAddress } from './forwarded.ts';
import { decodeXtext } from './xtext.ts';

/** Parses the attributes of XCLIENT (Postfix XCLIENT_README): `ADDR=192.0.2.1 LOGIN=ann`, in xtext; undefined if they are none. */
export function parseXclient(argument: string): ForwardedInfo | undefined {
  const facts = new Map<keyof ForwardedInfo, unknown>();
  for (const word of argument.split(' ')) {
    if (word === '') continue;
    const [, name = '', xtext = ''] = /^([A-Z]+)=(.+)$/i.exec(word) ?? [];
    const attribute = attributes.get(name.toUpperCase());
    const value = decodeXtext(xtext);
    if (attribute === undefined || value === undefined || value === '' || facts.has(attribute.fact)) return undefined;
    const isUnknown = UNKNOWN.has(value.toUpperCase());
    const fact = isUnknown ? undefined : attribute.read(value);
    if (fact === undefined && !isUnknown) return undefined;
    facts.set(attribute.fact, fact);
  }
  return facts.size === 0 ? undefined : (Object.fromEntries(facts) as ForwardedInfo);
}

interface Attribute<F extends keyof ForwardedInfo = keyof ForwardedInfo> {
  readonly fact: F;
  /** What the value says, a character an octet; undefined if it can say nothing. */
  readonly read: (value: string) => ForwardedInfo[F];
}

function attribute<F extends keyof ForwardedInfo>(fact: F, read: Attribute<F>['read']): Attribute {
  return { fact, read };
}

function readName(value: string): string | undefined {
  return isHostName(value) && /^[!-~]+$/.test(value) ? value : undefined;
}

function readAddress(value: string): HostAddress | undefined {
  if (!isAddressLiteral(`[${value}]`)) return undefined;
  if (!/^IPv6:/i.test(value)) return { family: 'IPv4', address: value };
  const address = value.slice('IPv6:'.length).toLowerCase();
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  return mapped === undefined ? { family: 'IPv6', address } : { family: 'IPv4', address: mapped };
}

function readPort(value: string): number | undefined {
  return /^\d{1,5}$/.test(value) && Number(value) <= 65_535 ? Number(value) : undefined;
}

function readProtocol(value: string): 'SMTP' | 'ESMTP' | undefined {
  const protocol = value.toUpperCase();
  return protocol === 'SMTP' || protocol === 'ESMTP' ? protocol : undefined;
}

function readHelo(value: string): string | undefined {
  return /^[!-~]{1,255}$/.test(value) ? value : undefined;
}

/** A name as the mechanisms of SASL prepare it, or there would be one user of two names. */
function readLogin(value: string): string | undefined {
  const login = decodeUtf8(Buffer.from(value, 'latin1'));
  return login === undefined ? undefined : saslprep(login, 'query');
}

const attributes: ReadonlyMap<string, Attribute> = new Map([
  ['NAME', attribute('name', readName)],
  ['ADDR', attribute('address', readAddress)],
  ['PORT', attribute('port', readPort)],
  ['PROTO', attribute('protocol', readProtocol)],
  ['HELO', attribute('helo', readHelo)],
  ['LOGIN', attribute('login', readLogin)],
  ['DESTADDR', attribute('destinationAddress', readAddress)],
  ['DESTPORT', attribute('destinationPort', readPort)],
]);

/** What the peer has looked up in vain, for good or for now. */
const UNKNOWN: ReadonlySet<string> = new Set(['[UNAVAILABLE]', '[TEMPUNAVAIL]']);

/** The names of the attributes, as EHLO lists them. */
export const XCLIENT_ATTRIBUTES: readonly string[] = [...attributes.keys()];
