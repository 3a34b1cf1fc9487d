import { hasUnsafeCharacter } from '../../../packages/esmtp/src/protocol/characters.ts';
import { type Command, type ParsedLine, parseCommand } from '../../../packages/esmtp/src/protocol/command.ts';
import { STRICT, toleranceOf } from '../../../packages/esmtp/src/protocol/tolerance.ts';
import { holds, same, type Target } from '../target.ts';

/** The lines of all commands. */
export const commands: Target = {
  name: 'commands',
  maxPumped: 2_048,
  seeds: [
    'EHLO client.example.org',
    'HELO [192.0.2.1]',
    'LHLO [IPv6:2001:db8::1]',
    'EHLO my p\xc3\xa4c',
    'MAIL FROM:<>',
    'MAIL FROM:<ann@example.com> SIZE=1000 BODY=8BITMIME SMTPUTF8 AUTH=<> RET=HDRS ENVID=QQ+2B314159',
    'MAIL FROM:<@a.example,@b.example:"ann\\"x"@[IPv6:2001:db8::1]>',
    'MAIL FROM: ann..x@example.com',
    'RCPT TO:<b\xc3\xb6b@ex\xc3\xa4mple.com> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob+2Bx@example.com',
    'RCPT TO:<Postmaster>',
    'RCPT TO:<joe>',
    'AUTH PLAIN AGFubgBzZWNyZXQ=',
    'AUTH SCRAM-SHA-256-PLUS =',
    'VRFY <ann@example.com> SMTPUTF8',
    'BDAT 86 LAST',
    'BDAT 18446744073709551615',
    'XCLIENT NAME=spike.example.org ADDR=IPV6:2001:db8::1 PORT=2500 PROTO=ESMTP HELO=x LOGIN=ann+40x',
    'XCLIENT ADDR=[UNAVAILABLE] DESTADDR=192.0.2.1 DESTPORT=25',
    'NOOP text',
    'HELP',
    'DATA',
    'RSET ',
    'QUIT',
    'STARTTLS',
    'EXPN list',
    'GET / HTTP/1.1',
  ],
  tokens: [
    'MAIL FROM:',
    'RCPT TO:',
    'BDAT ',
    ' LAST',
    ' SIZE=',
    ' AUTH=',
    ' ORCPT=utf-8;\\x{FF}',
    'XCLIENT ',
    'ADDR=',
    'IPV6:',
    '+2B',
    ' SMTPUTF8',
    'EHLO ',
    'AUTH ',
    '[IPv6:::1]',
    '[127.0.0.1]',
    '_',
    '-',
    '"a b"',
    'mail from:',
  ],
  parse: (input) => parseCommand(input.toString('latin1'), LENIENT),
  run(input) {
    const line = input.toString('latin1');
    const strict = parseCommand(line, STRICT);
    const lenient = parseCommand(line, LENIENT);
    check(strict);
    check(lenient);
    if (isCommand(strict))
      same(told(lenient), told(strict), 'a lenient server reads what a strict one reads in the same way');
    return `${signature(strict)} ${signature(lenient)}`;
  },
};

const LENIENT = toleranceOf('lmtp', true);

function isCommand(parsed: ParsedLine): parsed is Command {
  return !('refusal' in parsed);
}

/** Paths have private fields: they are compared as they are written. */
function told(parsed: ParsedLine): unknown {
  return 'path' in parsed ? { ...parsed, path: String(parsed.path) } : parsed;
}

function signature(parsed: ParsedLine): string {
  if ('isFatal' in parsed) return `${parsed.verb} ${parsed.refusal.lines.join(' ')}`;
  if ('parameters' in parsed) return `${parsed.verb} ${parsed.parameters.length}`;
  if ('info' in parsed) return `${parsed.verb} ${Object.keys(parsed.info).join()}`;
  return parsed.verb;
}

function check(parsed: ParsedLine): void {
  if ('refusal' in parsed) {
    const { refusal } = parsed;
    holds(refusal.code >= 500 && refusal.code <= 599, 'a malformed command is refused for good');
    holds(/^(?:5\d\d[- ][ -~]{0,506}\r\n)+$/.test(String(refusal)), 'a reply has the form of RFC 5321 §4.2');
    return;
  }
  switch (parsed.verb) {
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      holds(parsed.name.length <= 255 && parsed.name !== '', 'a name has 1 to 255 characters');
      holds(!/[\0-\x08\n-\x1f\x7f]/.test(parsed.name) && !hasUnsafeCharacter(parsed.name), 'a name has no controls');
      return;
    case 'MAIL':
    case 'RCPT':
      checkPath(parsed);
      return;
    case 'AUTH':
      holds(/^[!-~]+$/.test(parsed.mechanism), 'a mechanism is printable');
      holds(parsed.initialResponse === undefined || /^[!-~]+$/.test(parsed.initialResponse), 'a response is printable');
      return;
    case 'BDAT':
      holds(parsed.octets >= 0 && parsed.octets <= 1e20, 'a chunk has a size');
      return;
    default:
  }
}

/** A path that is written again is read as the same path, with the same parameters. */
function checkPath(parsed: Command & { readonly verb: 'MAIL' | 'RCPT' }): void {
  const { verb, path, parameters } = parsed;
  const written = path === null ? '' : String(path);
  holds(!hasUnsafeCharacter(written) && !/[\0-\x1f\x7f]/.test(written), 'a path has no controls');
  holds(Buffer.byteLength(written) <= 2 * 256, 'a path has at most 256 octets, doubled by quoting');
  holds(new Set(parameters.map(({ keyword }) => keyword)).size === parameters.length, 'no parameter is there twice');
  // Quoting adds octets, which may take a path beyond its bound.
  if (Buffer.byteLength(written) > 250) return;
  const words = parameters.map(({ keyword, value }) => ` ${keyword}${value === undefined ? '' : `=${value}`}`);
  const line = `${verb === 'MAIL' ? 'MAIL FROM' : 'RCPT TO'}:<${written}>${words.join('')}`;
  same(
    told(parseCommand(Buffer.from(line).toString('latin1'), LENIENT)),
    told(parsed),
    'a path is read as it is written',
  );
}
