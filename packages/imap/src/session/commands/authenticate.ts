import { type AuthCommand, Refusal } from '@postern/sasl-profile';
import type { ImapBackEnd } from '../../back-end/imap-back-end.ts';
import { replyForLogin } from '../../error-replies.ts';
import type { Command, Verb } from '../../protocol/command.ts';
import type { State } from '../state.ts';

/** AUTHENTICATE (RFC 9051 §6.2.2), with or without an initial response (RFC 4959). */
export async function authenticate(state: State, { tag, argument = '' }: Command): Promise<undefined> {
  const [, mechanism, initialResponse] = ARGUMENT.exec(argument) ?? [];
  if (mechanism === undefined) throw new Refusal(`${tag} BAD Invalid arguments`);
  // mutt with GNU SASL ends the line in a space where it has no initial response.
  await enter(state, tag, { verb: 'AUTHENTICATE', mechanism, initialResponse: initialResponse || undefined });
}

/** Logs the client in, and passes the session through to its back end. @throws Refusal */
export function enter(
  state: State,
  tag: string,
  command: Pick<AuthCommand<ImapBackEnd, Verb>, 'verb' | 'mechanism' | 'initialResponse'>,
): Promise<void> {
  return state.enter(
    {
      ...command,
      prompt: (base64) => `+ ${base64}`,
      replyFor: (refusal) => `${tag} ${replyForLogin(refusal, command.verb)}`,
    },
    (capabilities) => `${tag} OK [CAPABILITY ${capabilities}] Logged in`,
  );
}

const ARGUMENT = /^([A-Za-z0-9_-]{1,20})(?: ([!-~]*))?$/;
