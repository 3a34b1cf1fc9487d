import { type ForwardPath, type ReadPath, type ReversePath, readForwardPath, readReversePath } from './address.ts';
import { type AddressFault, replyForForwardPath, replyForReversePath } from './address-faults.ts';
import { hasUnsafeCharacter, isAscii, replaceUnsafeCharacters } from './characters.ts';
import type { ForwardedInfo } from './forwarded.ts';
import { NO_PARAMETERS, type Parameter, parseParameters } from './path-parameter.ts';
import { readPlainPath } from './plain-path.ts';
import { Reply } from './reply.ts';
import { STRICT, type Tolerance } from './tolerance.ts';
import { parseXclient } from './xclient.ts';

/** A command of a client, parsed. */
export type Command =
  | { readonly verb: 'EHLO' | 'HELO' | 'LHLO'; readonly name: string }
  | { readonly verb: 'MAIL'; readonly path: ReversePath; readonly parameters: readonly Parameter[] }
  | { readonly verb: 'RCPT'; readonly path: ForwardPath; readonly parameters: readonly Parameter[] }
  | { readonly verb: 'AUTH'; readonly mechanism: string; readonly initialResponse: string | undefined }
  | { readonly verb: 'VRFY'; readonly text: string; readonly smtpUtf8: boolean }
  | { readonly verb: 'BDAT'; readonly octets: number; readonly last: boolean }
  | { readonly verb: 'XCLIENT'; readonly info: ForwardedInfo }
  | { readonly verb: 'DATA' | 'RSET' | 'NOOP' | 'HELP' | 'QUIT' | 'STARTTLS' };

/** A line whose verb is known and whose argument is not valid. */
export interface Malformed {
  readonly verb: Verb;
  readonly refusal: Reply;
  /** True if the lines behind it may be data: the connection must close. */
  readonly isFatal: boolean;
}

/**
 * A line that is not a command of this server. `unimplemented`: of SMTP, and not supported.
 * `foreign`: a request of HTTP. `unrecognised`: any other line.
 */
export interface NoCommand {
  readonly verb: 'unimplemented' | 'foreign' | 'unrecognised';
  readonly refusal: Reply;
}

/** The result of parsing a line. */
export type ParsedLine = Command | Malformed | NoCommand;

/** The first word of a command, in upper case. */
export type Verb = Command['verb'];

/**
 * Parses a command line, given without its CRLF and with one character for each octet. Accepts the
 * grammar and the additions of the tolerance. Never throws.
 */
export function parseCommand(line: string, tolerance: Tolerance = STRICT): ParsedLine {
  return parsePlainForm(line) ?? parseAnyForm(line, tolerance);
}

/**
 * Parses the common form of MAIL and RCPT: `MAIL FROM:<ann@example.com> SIZE=1000` in ASCII, with
 * the keyword in upper case. Returns undefined for any other line.
 */
function parsePlainForm(line: string): ParsedLine | undefined {
  const letters = fourLetters(line);
  const isMail = letters === MAIL && line.startsWith(' FROM:', 4);
  if (!isMail && !(letters === RCPT && line.startsWith(' TO:', 4))) return undefined;
  const start = isMail ? 10 : 8;
  const path = readPlainPath(line, start);
  if (path === undefined) return undefined;
  // The path is its two parts, with an at sign and two brackets.
  const end = start + path.localPart.length + path.domain.length + 3;
  const parameters = end === line.length ? NO_PARAMETERS : parsePlainParameters(line.slice(end));
  if (parameters === undefined) return undefined;
  return isMail ? { verb: 'MAIL', path, parameters } : { verb: 'RCPT', path, parameters };
}

/** Returns undefined for parameters that are not ASCII, and in front of a trailing blank. */
function parsePlainParameters(rest: string): readonly Parameter[] | undefined {
  return rest.endsWith(' ') || rest.endsWith('\t') || !isAscii(rest) ? undefined : parseParameters(rest);
}

/**
 * Parses a line in any form. The parser of the common form returns the same result for the lines
 * that it knows.
 */
export function parseAnyForm(line: string, tolerance: Tolerance): ParsedLine {
  const word = WORDS.get(fourLetters(line));
  if (word === undefined || !beginsWith(line, word.verb)) return MAYBE_BDAT.test(line) ? MALFORMED_BDAT : UNRECOGNISED;
  return word.parse(line.slice(word.verb.length), tolerance);
}

type Parse = (argument: string, tolerance: Tolerance) => ParsedLine;

function greeting(verb: 'EHLO' | 'HELO' | 'LHLO'): Parse {
  return (argument, { anyClientName }) => {
    const name =
      plainName(argument) ?? NAME.exec(argument)?.[1] ?? (anyClientName ? parseAnyName(argument) : undefined);
    return name === undefined ? malformed(verb, BAD_NAME) : { verb, name };
  };
}

/** Returns the name behind one space: nearly each client sends that. Undefined for other forms. */
function plainName(argument: string): string | undefined {
  if (argument.length < 2 || argument.length > 1 + MAX_NAME_OCTETS || argument.charCodeAt(0) !== SPACE)
    return undefined;
  for (let index = 1; index < argument.length; index++) {
    const code = argument.charCodeAt(index);
    if (code <= SPACE || code >= 0x7f) return undefined;
  }
  return argument.slice(1);
}

/**
 * Parses a name with spaces, UTF-8 or Latin-1, as PCs have. Returns undefined for none and for one
 * with C0 controls.
 */
function parseAnyName(argument: string): string | undefined {
  const name = trim(argument);
  if (name === '' || name.length > MAX_NAME_OCTETS || CONTROL.test(name)) return undefined;
  return replaceUnsafeCharacters(decodeText(name) ?? name);
}

function parseMail(argument: string, tolerance: Tolerance): Command | Malformed {
  return parseWithPath('MAIL', argument, 'FROM:', tolerance, readReversePath, replyForReversePath);
}

function parseRcpt(argument: string, tolerance: Tolerance): Command | Malformed {
  return parseWithPath('RCPT', argument, 'TO:', tolerance, readForwardPath, replyForForwardPath);
}

function parseWithPath<V extends 'MAIL' | 'RCPT', P>(
  verb: V,
  argument: string,
  keyword: 'FROM:' | 'TO:',
  tolerance: Tolerance,
  readPath: (text: string, tolerance: Tolerance) => ReadPath<P> | AddressFault,
  replyFor: (fault: AddressFault) => Reply,
): { verb: V; path: P; parameters: readonly Parameter[] } | Malformed {
  const text = decodeText(argument);
  if (text === undefined) return malformed(verb, NOT_UTF8);
  const start = startOfPath(text, keyword);
  if (start === undefined) return malformed(verb, BAD_ARGUMENT);
  const rest = text.slice(start);
  const read = readPath(rest, tolerance);
  if (typeof read === 'string') return malformed(verb, replyFor(read));
  const parameters = read.end === rest.length ? NO_PARAMETERS : parseParameters(rest.slice(read.end));
  return parameters === undefined ? malformed(verb, BAD_PARAMETER) : { verb, path: read.path, parameters };
}

/**
 * Returns the index of the path; undefined without the keyword. The grammar has no space behind the
 * colon, but many clients send one.
 */
function startOfPath(argument: string, keyword: string): number | undefined {
  const start = skipSpaces(argument, 0);
  const end = start + keyword.length;
  const hasKeyword = argument.startsWith(keyword, start) || argument.slice(start, end).toUpperCase() === keyword;
  if (start === 0 || !hasKeyword) return undefined;
  return skipSpaces(argument, end);
}

function skipSpaces(text: string, from: number): number {
  let index = from;
  while (text.charCodeAt(index) === 0x20) index++;
  return index;
}

/**
 * Accepts several spaces where the grammar has one: a widely used client sends them. Uses no
 * regular expression: the engine keeps the text of the last match, which may be a password.
 */
function parseAuth(argument: string): Command | Malformed {
  const mechanismStart = skipSpaces(argument, 0);
  const mechanismEnd = skipWord(argument, mechanismStart);
  const responseStart = skipSpaces(argument, mechanismEnd);
  const responseEnd = skipWord(argument, responseStart);
  if (mechanismEnd === mechanismStart || skipSpaces(argument, responseEnd) < argument.length) {
    return malformed('AUTH', BAD_ARGUMENT);
  }
  const mechanism = argument.slice(mechanismStart, mechanismEnd).toUpperCase();
  const initialResponse = responseEnd === responseStart ? undefined : argument.slice(responseStart, responseEnd);
  return { verb: 'AUTH', mechanism, initialResponse };
}

function skipWord(text: string, from: number): number {
  let index = from;
  while (text.charCodeAt(index) > 0x20 && text.charCodeAt(index) < 0x7f) index++;
  return index;
}

/**
 * Parses the text, and the parameter SMTPUTF8 of a client that accepts a reply in UTF-8 (RFC 6531
 * §3.7.4.2).
 */
function parseVrfy(argument: string): Command | Malformed {
  const [, text = '', utf8] = VRFY_ARGUMENT.exec(decodeText(trim(argument)) ?? '') ?? [];
  if (text === '' || CONTROL.test(text) || hasUnsafeCharacter(text) || utf8?.includes('=')) {
    return malformed('VRFY', BAD_ARGUMENT);
  }
  return { verb: 'VRFY', text, smtpUtf8: utf8 !== undefined };
}

/**
 * Parses strictly by RFC 3030 §2: a server that reads another size than the client sent takes data
 * for commands.
 */
function parseBdat(argument: string): Command | Malformed {
  const match = BDAT_ARGUMENT.exec(argument);
  if (match === null) return MALFORMED_BDAT;
  return { verb: 'BDAT', octets: Number(match[1]), last: match[2] !== undefined };
}

function parseForwarded(argument: string): Command | Malformed {
  const info = parseXclient(argument.replace(TRAILING_BLANKS, ''));
  return info === undefined ? malformed('XCLIENT', BAD_ATTRIBUTES) : { verb: 'XCLIENT', info };
}

/** Returns the parser of a command without an argument (RFC 5321 §4.3.2). */
function withoutArgument(verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS'): Parse {
  const command: Command = { verb };
  const refused = malformed(verb, NO_ARGUMENT);
  return (argument) => (argument === '' || trim(argument) === '' ? command : refused);
}

/**
 * Returns the parser of a command that ignores its argument (RFC 5321 §4.1.1.9), which must be text
 * (§4.1.2).
 */
function ignoringArgument(verb: 'NOOP' | 'HELP'): Parse {
  const command: Command = { verb };
  const refused = malformed(verb, BAD_ARGUMENT);
  return (argument) => (ASCII_TEXT.test(argument) ? command : refused);
}

function malformed<V extends Verb>(verb: V, refusal: Reply): Malformed & { readonly verb: V } {
  return { verb, refusal, isFatal: false };
}

/** Removes white space at both ends: RFC 5321 §4.1.1 tolerates it before the CRLF. */
function trim(argument: string): string {
  return /^[ \t]*$/.test(argument) ? '' : argument.replace(/^ +/, '').replace(TRAILING_BLANKS, '');
}

/** Decodes UTF-8 (RFC 6531 §3.3). Returns undefined for octets that are neither ASCII nor UTF-8. */
function decodeText(argument: string): string | undefined {
  const text = argument.endsWith(' ') || argument.endsWith('\t') ? argument.replace(TRAILING_BLANKS, '') : argument;
  if (isAscii(text)) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, 'latin1'));
  } catch {
    return undefined;
  }
}

/**
 * Returns the first four letters, in upper case, as one number: the cheapest key that distinguishes
 * all verbs.
 */
function fourLetters(line: string): number {
  return (
    ((line.charCodeAt(0) & 0xdf) << 24) |
    ((line.charCodeAt(1) & 0xdf) << 16) |
    ((line.charCodeAt(2) & 0xdf) << 8) |
    (line.charCodeAt(3) & 0xdf)
  );
}

/**
 * Returns true if the verb is the first word of the line, whose first four letters are known to
 * match.
 */
function beginsWith(line: string, verb: string): boolean {
  if (line.length !== verb.length && line.charCodeAt(verb.length) !== 0x20) return false;
  return verb.length <= 4 || line.slice(0, verb.length).toUpperCase() === verb;
}

const SPACE = 0x20;
const MAX_NAME_OCTETS = 255;
const NAME = /^ +([!-~]{1,255})[ \t]*$/;
/** Bounded at its left: without that, matching n spaces in a row would take n² steps. */
const TRAILING_BLANKS = /(?<![ \t])[ \t]+$/;
const ASCII_TEXT = /^[\t -~]*$/;
const CONTROL = /[\0-\x08\n-\x1f\x7f]/;
const VRFY_ARGUMENT = /^(.*?)( SMTPUTF8(?:=.*)?)?$/is;
/** A line that a proxy may take for BDAT, and the lines behind it for data. */
const MAYBE_BDAT = /^[\0 \t]*BDAT/i;
const BDAT_ARGUMENT = /^ (\d{1,20})( LAST)?[ \t]{0,20}$/i;

const BAD_NAME = new Reply(501, '5.5.4', 'Expected a domain or an address literal');
const BAD_ARGUMENT = new Reply(501, '5.5.4', 'Syntax error in the argument');
const BAD_PARAMETER = new Reply(501, '5.5.4', 'Syntax error in the parameters');
const BAD_CHUNK_SIZE = new Reply(501, '5.5.4', 'Chunk size missing or invalid, closing the connection');
const BAD_ATTRIBUTES = new Reply(501, '5.5.4', 'Syntax error in the attributes');
const NO_ARGUMENT = new Reply(501, '5.5.4', 'No argument is allowed');
const NOT_UTF8 = new Reply(501, '5.5.2', 'Neither ASCII nor UTF-8');

const MALFORMED_BDAT: Malformed = { verb: 'BDAT', refusal: BAD_CHUNK_SIZE, isFatal: true };
/** The result of parsing an unknown line. */
export const UNRECOGNISED: NoCommand = {
  verb: 'unrecognised',
  refusal: new Reply(500, '5.5.1', 'Command not recognised'),
};
/** The result of parsing a command that this server knows and does not have. */
export const UNIMPLEMENTED: NoCommand = {
  verb: 'unimplemented',
  refusal: new Reply(502, '5.5.1', 'Command not implemented'),
};
/** The result of parsing a request of HTTP. */
export const FOREIGN: NoCommand = { verb: 'foreign', refusal: new Reply(502, '5.5.1', 'This is SMTP') };

const MAIL = fourLetters('MAIL');
const RCPT = fourLetters('RCPT');
const WORDS = new Map(
  [
    { verb: 'EHLO', parse: greeting('EHLO') },
    { verb: 'HELO', parse: greeting('HELO') },
    { verb: 'LHLO', parse: greeting('LHLO') },
    { verb: 'MAIL', parse: parseMail },
    { verb: 'RCPT', parse: parseRcpt },
    { verb: 'DATA', parse: withoutArgument('DATA') },
    { verb: 'RSET', parse: withoutArgument('RSET') },
    { verb: 'NOOP', parse: ignoringArgument('NOOP') },
    { verb: 'BDAT', parse: parseBdat },
    { verb: 'VRFY', parse: parseVrfy },
    { verb: 'HELP', parse: ignoringArgument('HELP') },
    { verb: 'QUIT', parse: withoutArgument('QUIT') },
    { verb: 'AUTH', parse: parseAuth },
    { verb: 'STARTTLS', parse: withoutArgument('STARTTLS') },
    { verb: 'XCLIENT', parse: parseForwarded },
    // Recognised, not implemented (RFC 5321 §4.2.4).
    ...['EXPN', 'TURN', 'SEND', 'SOML', 'SAML', 'ETRN'].map((verb) => ({ verb, parse: () => UNIMPLEMENTED })),
    // The first line of a request that a web page makes a browser send here.
    ...['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'PRI'].map((verb) => ({
      verb,
      parse: () => FOREIGN,
    })),
  ].map((word: { verb: string; parse: Parse }) => [fourLetters(`${word.verb} `), word] as const),
);
