import { isPromise, type MaybePromise } from '@postern/core';
import type { LookupSession } from '../lookups/lookup-session.ts';
import { answerTo } from './maps.ts';
import { formatNetstring, NetstringReader } from './netstring.ts';

/** Answers the requests of one connection, in their order, until it closes. Never rejects. */
export async function serveSocketmap(session: LookupSession): Promise<void> {
  try {
    await answerRequests(session);
    session.ended();
  } catch (error) {
    session.failed(error);
  }
  await session.completed;
}

async function answerRequests(session: LookupSession): Promise<void> {
  const { conversation, settings } = session;
  const reader = new NetstringReader(settings.limits.maxRequest);
  for (;;) {
    const octets = await conversation.hearOctets(reader.isIdle);
    if (octets === undefined) return;
    for (let offset = 0; offset < octets.length; ) {
      if (reader.isIdle) session.beginRequest();
      offset += reader.take(octets.subarray(offset));
      const request = reader.finished();
      if (request === undefined) continue;
      session.endRequest();
      const answer = await answerOrTemporary(request.toString(), session);
      // A client that reads nothing, and one that sends many requests at once, wait here.
      await conversation.send(Buffer.from(formatNetstring(answer)));
    }
  }
}

/** Reports a question without an answer. Postfix asks again later. */
function answerOrTemporary(request: string, session: LookupSession): MaybePromise<string> {
  const fail = (error: unknown): string => {
    session.reportError(error);
    return 'TEMP temporary failure';
  };
  try {
    const answer = session.inTime(answerTo(request, session));
    return isPromise(answer) ? answer.catch(fail) : answer;
  } catch (error) {
    return fail(error);
  }
}
