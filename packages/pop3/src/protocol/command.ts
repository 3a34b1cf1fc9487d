/** The commands that this server knows. It answers each LAST with -ERR: see the phases. */
export type Verb =
  | 'APOP'
  | 'AUTH'
  | 'CAPA'
  | 'DELE'
  | 'LAST'
  | 'LIST'
  | 'NOOP'
  | 'PASS'
  | 'QUIT'
  | 'RETR'
  | 'RSET'
  | 'STAT'
  | 'STLS'
  | 'TOP'
  | 'UIDL'
  | 'USER'
  | 'UTF8';

/** The commands without an argument. */
export type PlainVerb = 'CAPA' | 'LAST' | 'NOOP' | 'QUIT' | 'RSET' | 'STAT' | 'STLS' | 'UTF8';

/** A command line (RFC 1939 §3). Names and passwords are octets as the client sent them. */
export type Command =
  | { readonly verb: PlainVerb }
  | { readonly verb: 'USER'; readonly name: Uint8Array }
  | { readonly verb: 'PASS'; readonly password: Uint8Array }
  | { readonly verb: 'APOP'; readonly name: Uint8Array; readonly digest: string }
  /** Without a mechanism the client asks for their list. `initialResponse` is base64. */
  | { readonly verb: 'AUTH'; readonly mechanism: string | undefined; readonly initialResponse: string | undefined }
  /** `message` is a message number; undefined for all messages. */
  | { readonly verb: 'LIST' | 'UIDL'; readonly message: number | undefined }
  | { readonly verb: 'RETR' | 'DELE'; readonly message: number }
  | { readonly verb: 'TOP'; readonly message: number; readonly lines: number };

/** The command of a verb. */
export type CommandOf<V extends Verb> = Command & { readonly verb: V };

/** A line whose verb is known and whose arguments are not those of the command. */
export interface Malformed {
  readonly verb: Verb;
  readonly fault: 'syntax' | 'message-number';
}

/** A line whose verb is unknown. */
export interface Unknown {
  readonly verb: undefined;
}

/** The result of {@link parseCommand}. */
export type ParsedLine = Command | Malformed | Unknown;

/**
 * Parses a line without its CRLF, one character for each octet (latin1). Total: each line has a
 * result. A verb may have any case. The parser ignores spaces behind the last argument, except in a
 * name or a password. `PASS` takes the rest of the line (RFC 1939 §7).
 */
export function parseCommand(line: string): ParsedLine {
  const space = line.indexOf(' ');
  const verb = (space === -1 ? line : line.slice(0, space)).toUpperCase();
  const parse = PARSERS.get(verb);
  if (parse === undefined) return UNKNOWN;
  return parse(space === -1 ? undefined : line.slice(space + 1));
}

/** Returns the verb of a line; undefined for an unknown one. */
export function verbOf(line: string): Verb | undefined {
  return parseCommand(line).verb;
}

/** Returns the command, by the text behind the first space; undefined without a space. */
type Parser = (rest: string | undefined) => Command | Malformed;

function plain(verb: PlainVerb): Parser {
  const command = { verb };
  const malformed: Malformed = { verb, fault: 'syntax' };
  return (rest) => (rest === undefined || ONLY_SPACES.test(rest) ? command : malformed);
}

function user(rest: string | undefined): Command | Malformed {
  if (rest === undefined || rest === '') return { verb: 'USER', fault: 'syntax' };
  return { verb: 'USER', name: octetsOf(rest) };
}

function pass(rest: string | undefined): Command | Malformed {
  if (rest === undefined) return { verb: 'PASS', fault: 'syntax' };
  return { verb: 'PASS', password: octetsOf(rest) };
}

/** A name may hold spaces, a digest does not (RFC 1939 §7). */
function apop(rest: string | undefined): Command | Malformed {
  const [, name, digest] = APOP_ARGUMENTS.exec(rest ?? '') ?? [];
  if (name === undefined || digest === undefined) return { verb: 'APOP', fault: 'syntax' };
  return { verb: 'APOP', name: octetsOf(name), digest: digest.toLowerCase() };
}

function auth(rest = ''): Command | Malformed {
  const [mechanism, initialResponse, ...more] = rest.replace(TRAILING_SPACES, '').split(' ');
  if (mechanism === undefined || mechanism === '') return LIST_MECHANISMS;
  if (more.length > 0 || initialResponse === '') return { verb: 'AUTH', fault: 'syntax' };
  return { verb: 'AUTH', mechanism, initialResponse };
}

function listing(verb: 'LIST' | 'UIDL'): Parser {
  const all = { verb, message: undefined };
  return (rest) => {
    if (rest === undefined || ONLY_SPACES.test(rest)) return all;
    const message = numberOf(rest);
    return message === undefined ? { verb, fault: 'message-number' } : { verb, message };
  };
}

function single(verb: 'RETR' | 'DELE'): Parser {
  return (rest) => {
    if (rest === undefined) return { verb, fault: 'syntax' };
    const message = numberOf(rest);
    return message === undefined ? { verb, fault: 'message-number' } : { verb, message };
  };
}

function top(rest = ''): Command | Malformed {
  const space = rest.indexOf(' ');
  if (space === -1) return { verb: 'TOP', fault: 'syntax' };
  const message = numberOf(rest.slice(0, space));
  if (message === undefined) return { verb: 'TOP', fault: 'message-number' };
  const lines = numberOf(rest.slice(space + 1));
  return lines === undefined ? { verb: 'TOP', fault: 'syntax' } : { verb: 'TOP', message, lines };
}

/** Returns a number that is not negative: Infinity for one of more than 15 digits. */
function numberOf(text: string): number | undefined {
  const digits = DIGITS.exec(text)?.[1];
  if (digits === undefined) return undefined;
  return digits.length > MAX_EXACT_DIGITS ? Number.POSITIVE_INFINITY : Number(digits);
}

function octetsOf(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

const UNKNOWN: Unknown = { verb: undefined };
const LIST_MECHANISMS: Command = { verb: 'AUTH', mechanism: undefined, initialResponse: undefined };
const ONLY_SPACES = /^ *$/;
/** The lookbehind keeps a line of spaces from being tried at each of them. */
const TRAILING_SPACES = /(?<! ) +$/;
/** No two repetitions match the same digit: a line of zeros is read once. */
const DIGITS = /^0*([1-9]\d*|0) *$/;
const MAX_EXACT_DIGITS = 15;
/** RFC 1939 §7 asks for lower case. Some clients send upper case. */
const APOP_ARGUMENTS = /^(.+) ([\da-fA-F]{32}) *$/;

/** The parsers by verb. A Map, because a peer's octets are the key. */
const PARSERS: ReadonlyMap<string, Parser> = new Map<Verb, Parser>([
  ['APOP', apop],
  ['AUTH', auth],
  ['CAPA', plain('CAPA')],
  ['DELE', single('DELE')],
  ['LAST', plain('LAST')],
  ['LIST', listing('LIST')],
  ['NOOP', plain('NOOP')],
  ['PASS', pass],
  ['QUIT', plain('QUIT')],
  ['RETR', single('RETR')],
  ['RSET', plain('RSET')],
  ['STAT', plain('STAT')],
  ['STLS', plain('STLS')],
  ['TOP', top],
  ['UIDL', listing('UIDL')],
  ['USER', user],
  ['UTF8', plain('UTF8')],
]);
