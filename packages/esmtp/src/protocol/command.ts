import { type ForwardPath, type ReadPath, type ReversePath, readForwardPath, readReversePath } from './address.ts';
import { type AddressFault, forwardPathRefusal, reversePathRefusal } from './address-faults.ts';
import { isAscii } from './ascii.ts';
import type { ForwardedInfo } from './forwarded.ts';
import { Reply } from './reply.ts';
import { STRICT, type Tolerance } from './tolerance.ts';
import { hasUnsafeCharacter, withoutUnsafeCharacters } from './unsafe-characters.ts';
import { parseXclient } from './xclient.ts';

/** What a client can say, parsed. */
export type Command =
  | { readonly verb: 'EHLO' | 'HELO' | 'LHLO'; readonly name: string }
  | { readonly verb: 'MAIL'; readonly path: ReversePath; readonly parameters: readonly Parameter[] }
  | { readonly verb: 'RCPT'; readonly path: ForwardPath; readonly parameters: readonly Parameter[] }
  | { readonly verb: 'AUTH'; readonly mechanism: string; readonly initialResponse: string | undefined }
  | { readonly verb: 'VRFY'; readonly text: string; readonly smtpUtf8: boolean }
  | { readonly verb: 'BDAT'; readonly octets: number; readonly last: boolean }
  | { readonly verb: 'XCLIENT'; readonly facts: ForwardedInfo }
  | { readonly verb: 'DATA' | 'RSET' | 'NOOP' | 'HELP' | 'QUIT' | 'STARTTLS' };

/** A command of which only the verb can be understood. */
export interface Malformed {
  readonly verb: Verb;
  readonly malformed: Reply;
}

/** What is no command here: of SMTP, but not done by this server; another protocol's; or nothing known. */
export interface NoCommand {
  readonly verb: 'unimplemented' | 'foreign' | 'unrecognised';
}

/** The first word of a command that there is here, in upper case. */
export type Verb = Command['verb'];

/** A parameter of MAIL or RCPT: `SIZE=1000`. */
export interface Parameter {
  /** In upper case. */
  readonly keyword: string;
  /** Undefined without `=`; never empty. */
  readonly value: string | undefined;
}

/**
 * Parses a command line, given without its CRLF and with a character for each octet. Takes the grammar, and what the tolerance adds.
 * Never throws.
 */
export function parseCommand(line: string, tolerance: Tolerance = STRICT): Command | Malformed | NoCommand {
  const word = WORDS.get(fourLetters(line));
  if (word === undefined || !beginsWith(line, word.verb)) return MAYBE_BDAT.test(line) ? NO_CHUNK : UNRECOGNISED;
  return word.parse(line.slice(word.verb.length), tolerance);
}

type Parse = (argument: string, tolerance: Tolerance) => Command | Malformed | NoCommand;

function greeting(verb: 'EHLO' | 'HELO' | 'LHLO'): Parse {
  return (argument, { anyClientName }) => {
    const name = NAME.exec(argument)?.[1] ?? (anyClientName ? readAnyName(argument) : undefined);
    return name === undefined ? { verb, malformed: BAD_NAME } : { verb, name };
  };
}

/** A name as PCs have it: blanks in it, in UTF-8 or Latin-1. Undefined if there is none, or if it holds C0 controls. */
function readAnyName(argument: string): string | undefined {
  const name = trim(argument);
  if (name === '' || name.length > MAX_NAME || CONTROL.test(name)) return undefined;
  return withoutUnsafeCharacters(decoded(name) ?? name);
}

function parseMail(argument: string, tolerance: Tolerance): Command | Malformed {
  return parseWithPath('MAIL', argument, 'FROM:', tolerance, readReversePath, reversePathRefusal);
}

function parseRcpt(argument: string, tolerance: Tolerance): Command | Malformed {
  return parseWithPath('RCPT', argument, 'TO:', tolerance, readForwardPath, forwardPathRefusal);
}

function parseWithPath<V extends 'MAIL' | 'RCPT', P>(
  verb: V,
  argument: string,
  keyword: 'FROM:' | 'TO:',
  tolerance: Tolerance,
  read: (text: string, tolerance: Tolerance) => ReadPath<P> | AddressFault,
  refusal: (fault: AddressFault) => Reply,
): { verb: V; path: P; parameters: readonly Parameter[] } | Malformed {
  const text = decoded(argument);
  if (text === undefined) return { verb, malformed: NOT_UTF8 };
  const at = pathAt(text, keyword);
  if (at === undefined) return { verb, malformed: BAD_ARGUMENT };
  const written = text.slice(at);
  const found = read(written, tolerance);
  if (typeof found === 'string') return { verb, malformed: refusal(found) };
  const parameters = found.end === written.length ? NONE : parseParameters(written.slice(found.end));
  return parameters === undefined ? { verb, malformed: BAD_PARAMETER } : { verb, path: found.path, parameters };
}

/**
 * Where the path begins; undefined if the keyword is not there. Blanks behind the colon are none of the grammar, but many clients put
 * one there.
 */
function pathAt(argument: string, keyword: string): number | undefined {
  const keywordAt = skipBlanks(argument, 0);
  const end = keywordAt + keyword.length;
  const isThere = argument.startsWith(keyword, keywordAt) || argument.slice(keywordAt, end).toUpperCase() === keyword;
  if (keywordAt === 0 || !isThere) return undefined;
  return skipBlanks(argument, end);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === 0x20) at++;
  return at;
}

/** The parameters behind a path; undefined if they are none, or if one is there twice. */
function parseParameters(rest: string): readonly Parameter[] | undefined {
  if (!rest.startsWith(' ')) return undefined;
  const parameters = new Map<string, Parameter>();
  for (const word of rest.split(' ')) {
    if (word === '') continue;
    const match = PARAMETER.exec(word);
    const keyword = match?.[1]?.toUpperCase();
    if (keyword === undefined || parameters.has(keyword)) return undefined;
    parameters.set(keyword, { keyword, value: match?.[2] });
  }
  return [...parameters.values()];
}

/**
 * Two blanks where one belongs are let pass: a client of some renown sends them. Without a regular expression: the last that matched
 * keeps its text, which may be a password.
 */
function parseAuth(argument: string): Command | Malformed {
  const mechanismAt = skipBlanks(argument, 0);
  const mechanismEnd = skipWord(argument, mechanismAt);
  const responseAt = skipBlanks(argument, mechanismEnd);
  const responseEnd = skipWord(argument, responseAt);
  if (mechanismEnd === mechanismAt || skipBlanks(argument, responseEnd) < argument.length) {
    return { verb: 'AUTH', malformed: BAD_ARGUMENT };
  }
  const mechanism = argument.slice(mechanismAt, mechanismEnd).toUpperCase();
  const initialResponse = responseEnd === responseAt ? undefined : argument.slice(responseAt, responseEnd);
  return { verb: 'AUTH', mechanism, initialResponse };
}

function skipWord(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) > 0x20 && text.charCodeAt(at) < 0x7f) at++;
  return at;
}

/** RFC 6531 §3.7.4.2: behind the text may stand that the client can hear UTF-8. */
function parseVrfy(argument: string): Command | Malformed {
  const [, text = '', utf8] = VRFY_ARGUMENT.exec(decoded(trim(argument)) ?? '') ?? [];
  if (text === '' || CONTROL.test(text) || hasUnsafeCharacter(text) || utf8?.includes('='))
    return { verb: 'VRFY', malformed: BAD_ARGUMENT };
  return { verb: 'VRFY', text, smtpUtf8: utf8 !== undefined };
}

/** To the letter (RFC 3030 §2): whoever reads a size in another way than the client sees commands where the client sent data. */
function parseBdat(argument: string): Command | Malformed {
  const match = BDAT_ARGUMENT.exec(argument);
  if (match === null) return NO_CHUNK;
  return { verb: 'BDAT', octets: Number(match[1]), last: match[2] !== undefined };
}

function parseForwarded(argument: string): Command | Malformed {
  const facts = parseXclient(argument.replace(TRAILING_BLANKS, ''));
  return facts === undefined ? { verb: 'XCLIENT', malformed: BAD_ATTRIBUTES } : { verb: 'XCLIENT', facts };
}

/** A command that takes no argument (RFC 5321 §4.3.2). */
function alone(verb: 'DATA' | 'RSET' | 'QUIT' | 'STARTTLS'): Parse {
  const command: Command = { verb };
  const malformed: Malformed = { verb, malformed: NO_ARGUMENT };
  return (argument) => (trim(argument) === '' ? command : malformed);
}

/** A command that does not heed its argument (RFC 5321 §4.1.1.9), as long as it is text (§4.1.2). */
function heedless(verb: 'NOOP' | 'HELP'): Parse {
  const command: Command = { verb };
  const malformed: Malformed = { verb, malformed: BAD_ARGUMENT };
  return (argument) => (ASCII_TEXT.test(argument) ? command : malformed);
}

/** RFC 5321 §4.1.1: white space before the CRLF is let pass. */
function trim(argument: string): string {
  return /^[ \t]*$/.test(argument) ? '' : argument.replace(/^ +/, '').replace(TRAILING_BLANKS, '');
}

/** The argument read as UTF-8; undefined if it has octets over 127 and is none (RFC 6531 §3.3). */
function decoded(argument: string): string | undefined {
  const text = argument.endsWith(' ') || argument.endsWith('\t') ? argument.replace(TRAILING_BLANKS, '') : argument;
  if (isAscii(text)) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(text, 'latin1'));
  } catch {
    return undefined;
  }
}

/** The first four letters, in upper case, as one number: the cheapest key that tells all verbs apart. */
function fourLetters(line: string): number {
  return (
    ((line.charCodeAt(0) & 0xdf) << 24) |
    ((line.charCodeAt(1) & 0xdf) << 16) |
    ((line.charCodeAt(2) & 0xdf) << 8) |
    (line.charCodeAt(3) & 0xdf)
  );
}

/** True if the line's first word is the verb, whose first four letters are known to be right. */
function beginsWith(line: string, verb: string): boolean {
  if (line.length !== verb.length && line.charCodeAt(verb.length) !== 0x20) return false;
  return verb.length <= 4 || line.slice(0, verb.length).toUpperCase() === verb;
}

const MAX_NAME = 255;
const NAME = /^ +([!-~]{1,255})[ \t]*$/;
/** Bounded at its left: without that, each of a thousand blanks in a row would be looked at a thousand times. */
const TRAILING_BLANKS = /(?<![ \t])[ \t]+$/;
const ASCII_TEXT = /^[\t -~]*$/;
const CONTROL = /[\0-\x08\n-\x1f\x7f]/;
const VRFY_ARGUMENT = /^(.*?)( SMTPUTF8(?:=.*)?)?$/is;
/** What somebody between the client and us may take for BDAT, and what follows for data. */
const MAYBE_BDAT = /^[\0 \t]*BDAT/i;
const BDAT_ARGUMENT = /^ (\d{1,20})( LAST)?[ \t]{0,20}$/i;
/** RFC 5321 §4.1.2. */
const PARAMETER = /^([A-Za-z\d][A-Za-z\d-]*)(?:=([!-<>-~\u0080-\uffff]+))?$/;
const NONE: readonly Parameter[] = [];

const BAD_NAME = new Reply(501, '5.5.4', 'A domain or an address literal is wanted');
const BAD_ARGUMENT = new Reply(501, '5.5.4', 'Syntax error in the argument');
const BAD_PARAMETER = new Reply(501, '5.5.4', 'Syntax error in the parameters');
const BAD_CHUNK_SIZE = new Reply(501, '5.5.4', 'Without the size of a chunk there is no going on');
const BAD_ATTRIBUTES = new Reply(501, '5.5.4', 'Syntax error in the attributes');
const NO_ARGUMENT = new Reply(501, '5.5.4', 'No argument is allowed');
const NOT_UTF8 = new Reply(501, '5.5.2', 'Neither ASCII nor UTF-8');

const NO_CHUNK: Malformed = { verb: 'BDAT', malformed: BAD_CHUNK_SIZE };
const UNRECOGNISED: NoCommand = { verb: 'unrecognised' };
const UNIMPLEMENTED: NoCommand = { verb: 'unimplemented' };
const FOREIGN: NoCommand = { verb: 'foreign' };

const WORDS = new Map(
  [
    { verb: 'EHLO', parse: greeting('EHLO') },
    { verb: 'HELO', parse: greeting('HELO') },
    { verb: 'LHLO', parse: greeting('LHLO') },
    { verb: 'MAIL', parse: parseMail },
    { verb: 'RCPT', parse: parseRcpt },
    { verb: 'DATA', parse: alone('DATA') },
    { verb: 'RSET', parse: alone('RSET') },
    { verb: 'NOOP', parse: heedless('NOOP') },
    { verb: 'BDAT', parse: parseBdat },
    { verb: 'VRFY', parse: parseVrfy },
    { verb: 'HELP', parse: heedless('HELP') },
    { verb: 'QUIT', parse: alone('QUIT') },
    { verb: 'AUTH', parse: parseAuth },
    { verb: 'STARTTLS', parse: alone('STARTTLS') },
    { verb: 'XCLIENT', parse: parseForwarded },
    // Recognised, not implemented (RFC 5321 §4.2.4).
    ...['EXPN', 'TURN', 'SEND', 'SOML', 'SAML', 'ETRN'].map((verb) => ({ verb, parse: () => UNIMPLEMENTED })),
    // A browser made to talk to us says one of these first.
    ...['GET', 'POST', 'HEAD', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'PRI'].map((verb) => ({
      verb,
      parse: () => FOREIGN,
    })),
  ].map((word: { verb: string; parse: Parse }) => [fourLetters(`${word.verb} `), word] as const),
);
