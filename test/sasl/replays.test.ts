import { LoginError } from '@postern/cred';
import { ExchangeError } from '@postern/sasl';
import { type Responder, SaslFailure } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { family, type Pair, run } from './family.ts';

describe.each(family.map((pair) => ({ ...pair, name: pair.challenger.mechanism })))('$name', (pair) => {
  const { avatarId = 'tim', isReplayable } = pair;

  it(`${isReplayable ? 'takes' : 'refuses'} the client's messages of an earlier exchange`, async () => {
    const { server } = await run({ ...pair, responder: await recorded(pair) }, undefined, 1);
    if (isReplayable) expect(server).toMatchObject({ login: { avatarId } });
    else expect(server).toHaveProperty('error', expect.toSatisfy(isOfClient));
  });
});

it("refuses the server's messages in place of the client's", async () => {
  const challenged: string[] = [];
  for (const pair of family) {
    const { messages } = await run(pair);
    const challenges = messages.filter(({ from }) => from === 'server').map(({ bytes }) => bytes);
    if (challenges.length === 0) continue;
    challenged.push(pair.challenger.mechanism);
    const { server } = await run({ ...pair, responder: saying(pair.responder, challenges) });
    expect(server, pair.challenger.mechanism).toHaveProperty('error', expect.toSatisfy(isOfClient));
  }
  expect(challenged).toEqual(expect.arrayContaining(['LOGIN', 'CRAM-MD5', 'DIGEST-MD5', 'SCRAM-SHA-256-PLUS']));
});

function isOfClient(error: unknown): boolean {
  return error instanceof ExchangeError || error instanceof LoginError;
}

/** Returns a responder that says what the pair's said in one exchange, whatever the challenges. */
async function recorded(pair: Pair): Promise<Responder> {
  const { messages } = await run(pair);
  return saying(
    pair.responder,
    messages.filter(({ from }) => from === 'client').map(({ bytes }) => bytes),
  );
}

/** Returns a responder of the same mechanism that says these messages and then fails. */
function saying(responder: Responder, messages: readonly Uint8Array[]): Responder {
  const { mechanism, exposesSecret, serverFirst = false } = responder;
  return {
    mechanism,
    exposesSecret,
    serverFirst,
    async respond(say) {
      if (serverFirst) await say(undefined);
      for (const message of messages) if ((await say(message)) === undefined) return;
      throw new SaslFailure('no message is left');
    },
  };
}
