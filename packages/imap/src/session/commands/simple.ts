import { Refusal } from '@postern/sasl-profile';
import type { Command } from '../../protocol/command.ts';
import type { State } from '../state.ts';

/** CAPABILITY (RFC 9051 §6.1.1). */
export function capability({ capabilities }: State, command: Command): string {
  expectNoArgument(command);
  return `* CAPABILITY ${capabilities}\r\n${command.tag} OK CAPABILITY completed`;
}

/** NOOP (RFC 9051 §6.1.2). */
export function noop(_state: State, command: Command): string {
  expectNoArgument(command);
  return `${command.tag} OK NOOP completed`;
}

/** LOGOUT (RFC 9051 §6.1.3). */
export function logout(state: State, command: Command): string {
  expectNoArgument(command);
  state.closeReason = 'quit';
  return `* BYE Logging out\r\n${command.tag} OK LOGOUT completed`;
}

/** ID (RFC 2971). The server keeps nothing of the client's fields: the back end gets its own ID. */
export function id(_state: State, { tag, argument = '' }: Command): string {
  if (!ID_ARGUMENT.test(argument)) throw new Refusal(`${tag} BAD Invalid arguments`);
  return `* ID ("name" "Postern")\r\n${tag} OK ID completed`;
}

/** @throws Refusal if the command has an argument. */
export function expectNoArgument({ tag, argument }: Command): void {
  if (argument !== undefined) throw new Refusal(`${tag} BAD Invalid arguments`);
}

/** RFC 2971 §4: NIL, or at most 30 pairs of a string and a string or NIL. */
const QUOTED = '"(?:[^\\r\\n\\0"\\\\]|\\\\["\\\\])*"';
const PAIR = `${QUOTED} (?:${QUOTED}|NIL)`;
const ID_ARGUMENT = new RegExp(`^(?:NIL|\\((?:${PAIR}(?: ${PAIR}){0,29})?\\))$`, 'i');
