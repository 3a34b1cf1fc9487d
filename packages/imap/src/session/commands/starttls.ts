import { runStartTls, type StartTlsObstacle } from '@postern/sasl-profile';
import type { Command } from '../../protocol/command.ts';
import type { State } from '../state.ts';
import { expectNoArgument } from './simple.ts';

/**
 * STARTTLS (RFC 9051 §6.2.1). Afterwards the session begins again. Octets pipelined behind STARTTLS
 * close the connection, because no honest client sends them.
 */
export async function starttls(state: State, command: Command): Promise<undefined> {
  const { tag } = command;
  expectNoArgument(command);
  const ready = `${tag} OK Begin TLS negotiation now`;
  await runStartTls(state, { verb: 'STARTTLS', ready, replyFor: (obstacle) => refusals[obstacle](tag) });
}

const refusals: Readonly<Record<StartTlsObstacle, (tag: string) => string>> = {
  active: (tag) => `${tag} BAD TLS is active already`,
  'not-available': (tag) => `${tag} BAD STARTTLS is not available`,
  pipelined: () => '* BYE Nothing may be sent behind STARTTLS',
};
