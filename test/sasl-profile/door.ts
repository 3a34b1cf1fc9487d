import type { Protocol } from '@postern/conversation';
import type { Clock, Portal } from '@postern/cred';
import { type Challenger, offered } from '@postern/sasl';
import {
  ConversationMind,
  chooseChallenger,
  type FailurePolicy,
  LoginFailures,
  type LoginOverOptions,
  loginOver,
} from '@postern/sasl-profile';
import { TestAvatar } from '@postern/testing';

/** What one server of the protocol is made of. */
export interface DoorOptions extends Pick<LoginOverOptions<[]>, 'onRefused' | 'allowUnpadded'> {
  readonly portal: Portal;
  readonly challengers: readonly Challenger[];
  readonly policy: FailurePolicy;
  readonly clock: Clock;
}

/** A protocol in the style of POP3, with the commands LIST, AUTH and QUIT. */
export function door({ portal, challengers, policy, clock, ...options }: DoorOptions): Protocol {
  return async (conversation) => {
    const mind = new ConversationMind(conversation, 'door');
    const failures = new LoginFailures(policy, clock);
    conversation.say('+OK ready\r\n');
    for (let open = true; open; ) {
      const line = (await conversation.hearLine(1_000)) ?? 'QUIT';
      const [verb, mechanism = '', initialResponse] = line.split(' ');
      let reply = '-ERR unknown command';
      if (verb === 'QUIT') [reply, open] = ['+OK bye', false];
      if (verb === 'LIST') reply = `+OK ${namesOf(offered(challengers, portal, mind))}`;
      if (verb === 'AUTH') {
        const challenger = chooseChallenger(mechanism, { challengers, portal, mind });
        if (typeof challenger === 'string') reply = `-ERR ${challenger}`;
        else {
          const prompt = (base64: string) => `+ ${base64}`;
          const framing = { ...options, conversation, prompt, maxResponse: 40, initialResponse, failures };
          const outcome = await loginOver({ ...framing, portal, mind, challenger, interfaces: [TestAvatar] });
          if ('login' in outcome) reply = `+OK hello ${String(outcome.login.avatarId)}`;
          else [reply, open] = [`-ERR ${outcome.error.code}`, !(outcome.isTooMany || outcome.hasLostSync)];
        }
      }
      conversation.say(`${reply}\r\n`);
    }
    await conversation.close();
  };
}

function namesOf(challengers: readonly Challenger[]): string {
  return challengers.map(({ mechanism }) => mechanism).join();
}
