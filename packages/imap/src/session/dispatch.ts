import type { MaybePromise } from '@postern/core';
import { literalAtEnd, Refusal, refuseWithLiterals } from '@postern/sasl-profile';
import { type Command, parseCommand, type Verb, verbOf } from '../protocol/command.ts';
import { authenticate } from './commands/authenticate.ts';
import { login } from './commands/login.ts';
import { capability, id, logout, noop } from './commands/simple.ts';
import { starttls } from './commands/starttls.ts';
import type { State } from './state.ts';

/**
 * Runs the command of a line. Returns the reply; undefined if the command has said it.
 *
 * @throws Refusal
 */
export function dispatch(state: State, line: string): MaybePromise<string | undefined> {
  const command = parseCommand(line);
  if (command === undefined) return refuse(state, line, '* BAD Invalid tag');
  if (!('name' in command)) return refuse(state, line, `${command.tag} BAD Missing command`);
  const verb = verbOf(command.name);
  if (verb === undefined) return refuse(state, line, `${command.tag} BAD Unknown command, or not allowed before login`);
  if (verb !== 'AUTHENTICATE' && line.length > state.limits.maxCommandLine) {
    return refuse(state, line, `${command.tag} BAD [TOOBIG] Command line too long`);
  }
  if (verb === 'LOGIN') return login(state, command);
  if (literalAtEnd(line) !== undefined) return refuse(state, line, `${command.tag} BAD Invalid arguments`);
  return HANDLERS[verb](state, command);
}

/** Refuses a line. The octets of a literal that the client sends with it are no command. */
function refuse(state: State, line: string, reply: string): Promise<never> {
  if (literalAtEnd(line)?.isSynchronizing === false) {
    return refuseWithLiterals(state.conversation, line, state.stringRules('*'), reply);
  }
  throw new Refusal(reply);
}

type Handler = (state: State, command: Command) => MaybePromise<string | undefined>;

const HANDLERS: Readonly<Record<Exclude<Verb, 'LOGIN'>, Handler>> = {
  CAPABILITY: capability,
  NOOP: noop,
  LOGOUT: logout,
  ID: id,
  STARTTLS: starttls,
  AUTHENTICATE: authenticate,
};
