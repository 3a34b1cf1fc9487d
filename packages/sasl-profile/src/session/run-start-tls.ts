import type { ClientSession, StartTlsObstacle } from './client-session.ts';
import { Refusal } from './refusal.ts';

/** A command that starts TLS, such as STARTTLS. */
export interface StartTlsCommand<V extends string> {
  /** The verb of the command, for the log. */
  readonly verb: V;
  /** The positive reply in front of the TLS handshake, without its CRLF. */
  readonly ready: string;
  /** Returns the reply to a refused command, without its CRLF. */
  readonly replyFor: (obstacle: StartTlsObstacle) => string;
}

/**
 * Starts TLS in a protocol of `serveSession`. Afterwards the session begins again, as
 * `ClientSession.startTls` says.
 *
 * @throws Refusal, as a rejection, if TLS cannot start now. It closes the connection of a client
 * that has sent octets behind the command.
 */
export async function runStartTls<V extends string>(
  session: ClientSession<object, V, string>,
  { verb, ready, replyFor }: StartTlsCommand<V>,
): Promise<void> {
  const obstacle = session.startTlsObstacle;
  if (obstacle !== undefined) throw new Refusal(replyFor(obstacle), { closes: obstacle === 'pipelined' });
  session.conversation.say(`${ready}\r\n`);
  await session.startTls(verb);
}
