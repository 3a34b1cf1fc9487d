import { AUTHENTICATION_REQUIRED, OUT_OF_SEQUENCE } from '../error-replies.ts';
import { type Command, FOREIGN, type ParsedLine, UNRECOGNISED, type Verb } from '../protocol/command.ts';
import { allowedWithoutAuthentication, allowedWithoutTls, type Next, type Step } from '../protocol/phases.ts';
import { Reply } from '../protocol/reply.ts';
import { auth } from './commands/auth.ts';
import { bdat } from './commands/bdat.ts';
import { data } from './commands/data.ts';
import { ehlo, helo } from './commands/ehlo.ts';
import { mail } from './commands/mail.ts';
import { rcpt } from './commands/rcpt.ts';
import { help, noop, quit, rset } from './commands/simple.ts';
import { starttls } from './commands/starttls.ts';
import { vrfy } from './commands/vrfy.ts';
import { xclient } from './commands/xclient.ts';
import type { ReplyResult } from './reply-result.ts';
import type { State } from './state.ts';

/**
 * Runs the command of a line if the table of phases allows it now. Returns its
 * {@link ReplyResult}. Fails with the error of a delivery or a conversation.
 */
export function dispatch(state: State, line: ParsedLine): ReplyResult {
  if ('refusal' in line) return refuse(state, line);
  const { verb } = line;
  const next = state.settings.phases[state.phase][stepOf(line)];
  const refusal = refusalNow(state, verb, next);
  // A refused BDAT runs all the same: its octets follow, and must not be read as commands.
  if (refusal !== undefined && verb !== 'BDAT') return refusal;
  state.next = next;
  // The compiler does not relate a handler to the command whose verb has selected it.
  const handler: Handler<never> = handlers[verb];
  return handler(state, line as never, refusal);
}

/** Returns the reply to a line that is not a valid command. */
function refuse(state: State, line: Exclude<ParsedLine, Command>): Reply {
  if ('isFatal' in line && !line.isFatal) {
    return refusalNow(state, line.verb, state.settings.phases[state.phase][line.verb]) ?? line.refusal;
  }
  if (line === FOREIGN)
    state.report({ mind: state.mind, kind: 'foreign-protocol', protocol: 'HTTP', reply: line.refusal });
  if (line === FOREIGN || 'isFatal' in line) state.closeReason = 'disconnected';
  return line.refusal;
}

/** Returns the refusal of a command that may not come now; undefined for one that may. */
function refusalNow(state: State, verb: Verb, next: Next | undefined): Reply | undefined {
  const { phase, settings } = state;
  if (next === undefined) {
    if (!settings.verbs.has(verb)) return UNRECOGNISED.refusal;
    if (phase === 'start') return settings.protocol === 'lmtp' ? LHLO_FIRST : EHLO_FIRST;
  }
  if (state.needsTls && !allowedWithoutTls.has(verb)) return TLS_REQUIRED;
  if (state.needsAuthentication && !allowedWithoutAuthentication.has(verb)) return AUTHENTICATION_REQUIRED;
  return next === undefined ? OUT_OF_SEQUENCE : undefined;
}

function stepOf(command: Command): Step {
  return command.verb === 'BDAT' && command.last ? 'BDAT LAST' : command.verb;
}

/** Runs a command. Only BDAT gets a refusal, for a chunk that it must hear all the same. */
type Handler<V extends Verb> = (
  state: State,
  command: Command & { readonly verb: V },
  refusal: Reply | undefined,
) => ReplyResult;

const handlers: { readonly [V in Verb]: Handler<V> } = {
  EHLO: ehlo,
  LHLO: ehlo,
  HELO: helo,
  AUTH: auth,
  STARTTLS: starttls,
  XCLIENT: xclient,
  MAIL: mail,
  RCPT: rcpt,
  DATA: data,
  BDAT: bdat,
  RSET: rset,
  NOOP: noop,
  VRFY: vrfy,
  HELP: help,
  QUIT: quit,
};

const EHLO_FIRST = new Reply(503, '5.5.1', 'Send EHLO first');
const LHLO_FIRST = new Reply(503, '5.5.1', 'Send LHLO first');
const TLS_REQUIRED = new Reply(530, '5.7.0', 'Must issue a STARTTLS command first');
