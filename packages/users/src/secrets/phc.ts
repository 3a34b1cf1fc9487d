import { malformed } from './malformed.ts';
import { type DecimalRange, decimal, decodeUnpadded } from './octets.ts';

/** A PHC string `$id$v=19$a=1,b=2$salt$hash`, with its parameters in range. */
export interface PhcString {
  readonly version: number | undefined;
  readonly parameters: ReadonlyMap<string, number>;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** The shape of the PHC strings of one scheme. */
export interface PhcShape {
  /** The versions that `v=` may name. Default: the string has no version. */
  readonly versions?: readonly number[];
  /** The parameters, each required unless `optional` is true, in any order. */
  readonly parameters: ReadonlyMap<string, PhcParameter>;
  readonly saltOctets: DecimalRange;
  readonly hashOctets: DecimalRange;
}

/** The range of a parameter, and true for `optional` if a string may be without it. */
export interface PhcParameter extends DecimalRange {
  readonly optional?: true;
}

/**
 * Parses a PHC string. Each parameter of the shape stands once, in any order, as a decimal number
 * without leading zeros. Base64 has no padding.
 *
 * @throws SecretError for any other text, such as one with a `keyid` or `data`.
 */
export function parsePhc(text: string, shape: PhcShape): PhcString {
  const [, id = '', ...fields] = text.split('$', MAX_FIELDS);
  const version = fields[0]?.startsWith('v=') ? fields.shift() : undefined;
  const [list, encodedSalt, encodedHash, ...more] = fields;
  if (list === undefined || encodedSalt === undefined || encodedHash === undefined || more.length > 0) {
    throw malformed(id, 'parameters, a salt and a hash after the name, each after a $');
  }
  return {
    version: readVersion(id, version, shape.versions),
    parameters: readParameters(id, list, shape.parameters),
    salt: readField(id, 'salt', encodedSalt, shape.saltOctets),
    hash: readField(id, 'hash', encodedHash, shape.hashOctets),
  };
}

function readVersion(id: string, field: string | undefined, versions: readonly number[] = []): number | undefined {
  if (field === undefined) return undefined;
  const version = versions.find((candidate) => field === `v=${candidate}`);
  if (version !== undefined) return version;
  throw malformed(
    id,
    versions.length === 0 ? 'no version' : `no version or ${versions.map((v) => `v=${v}`).join(', ')}`,
  );
}

function readParameters(id: string, list: string, shape: PhcShape['parameters']): ReadonlyMap<string, number> {
  const parameters = new Map<string, number>();
  for (const field of list.split(',')) {
    const equals = field.indexOf('=');
    const name = field.slice(0, equals);
    const range = shape.get(name);
    if (equals < 0 || range === undefined || parameters.has(name)) {
      throw malformed(id, `only the parameters ${[...shape.keys()].join(', ')}, each at most once`);
    }
    const value = decimal(field.slice(equals + 1), range);
    if (value === undefined) throw malformed(id, `${name} from ${range.min} to ${range.max}`);
    parameters.set(name, value);
  }
  for (const [name, { optional }] of shape) {
    if (!optional && !parameters.has(name)) throw malformed(id, `the parameter ${name}`);
  }
  return parameters;
}

function readField(id: string, name: string, encoded: string, { min, max }: DecimalRange): Buffer {
  const octets = decodeUnpadded(encoded);
  if (octets !== undefined && octets.length >= min && octets.length <= max) return octets;
  throw malformed(id, `a ${name} of ${min} to ${max} octets in base64 without padding`);
}

/** One more than the most fields, so that a further `$` shows. */
const MAX_FIELDS = 7;
