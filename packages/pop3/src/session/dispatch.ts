import { isPromise, type MaybePromise } from '@postern/core';
import { Refusal } from '@postern/sasl-profile';
import { LINE_TOO_LONG, NEEDS_TLS } from '../error-replies.ts';
import type { CommandOf, ParsedLine, Verb } from '../protocol/command.ts';
import { allowedWithoutTls, type Next, phases, stepOf } from '../protocol/phases.ts';
import { apop } from './commands/apop.ts';
import { auth } from './commands/auth.ts';
import { capa } from './commands/capa.ts';
import { dele } from './commands/dele.ts';
import { list, uidl } from './commands/list.ts';
import { quit } from './commands/quit.ts';
import { retr, top } from './commands/retr.ts';
import { noop, rset, stat, utf8 } from './commands/simple.ts';
import { stls } from './commands/stls.ts';
import { pass, user } from './commands/user.ts';
import type { State } from './state.ts';

/**
 * Runs the command of a line of `octets` octets if the table of phases allows it now. Enters the
 * phase that follows. Returns the reply; undefined if the command has said its reply.
 *
 * @throws Refusal
 */
export function dispatch(state: State, line: ParsedLine, octets: number): MaybePromise<string | undefined> {
  if (line.verb === undefined) throw new Refusal(UNKNOWN_COMMAND);
  const { limits } = state.settings;
  if (octets > limits.maxCommandLine && line.verb !== 'AUTH' && line.verb !== 'PASS') throw new Refusal(LINE_TOO_LONG);
  const next = nextOf(state, line);
  if ('fault' in line) throw new Refusal(FAULTS[line.fault]);
  // The compiler does not relate a handler to the command whose verb has selected it.
  const handler: Handler<never> | undefined = handlers[line.verb];
  if (handler === undefined) throw new Refusal(UNKNOWN_COMMAND, { counts: false });
  const reply = handler(state, line as never);
  if (isPromise(reply)) {
    return reply.then((later) => {
      state.enterPhase(next);
      return later;
    });
  }
  state.enterPhase(next);
  return reply;
}

/**
 * Returns the phase to which a command leads.
 *
 * @throws Refusal for a command that may not come now.
 */
function nextOf(state: State, line: Exclude<ParsedLine, { verb: undefined }>): Next {
  const step = 'fault' in line ? line.verb : stepOf(line);
  const next = phases[state.phase][step];
  if (next === undefined) {
    // LAST is in no phase: fetchmail asks for it in each session.
    if (line.verb === 'LAST') throw new Refusal(UNKNOWN_COMMAND, { counts: state.phase === 'authorization' });
    throw new Refusal(state.phase === 'authorization' ? LOGIN_FIRST : LOGGED_IN);
  }
  if (state.needsTls && !allowedWithoutTls.has(step)) throw new Refusal(NEEDS_TLS);
  return next;
}

/** Runs a command. Returns its reply, or undefined if it has said the reply itself. */
type Handler<V extends Verb> = (state: State, command: CommandOf<V>) => MaybePromise<string | undefined>;

const handlers: { readonly [V in Exclude<Verb, 'LAST'>]: Handler<V> } & { readonly LAST: undefined } = {
  APOP: apop,
  AUTH: auth,
  CAPA: capa,
  DELE: dele,
  LAST: undefined,
  LIST: list,
  NOOP: noop,
  PASS: pass,
  QUIT: quit,
  RETR: retr,
  RSET: rset,
  STAT: stat,
  STLS: stls,
  TOP: top,
  UIDL: uidl,
  USER: user,
  UTF8: utf8,
};

const UNKNOWN_COMMAND = '-ERR unknown command';
const LOGIN_FIRST = '-ERR log in first';
const LOGGED_IN = '-ERR command not valid after login';
const FAULTS = { syntax: '-ERR syntax error', 'message-number': '-ERR invalid message number' } as const;
