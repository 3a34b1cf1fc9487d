import type { Ask, TlsInfo } from '@postern/cred';
import type { Responder } from '@postern/sasl/client';

/** The server's half of an exchange. Resolves when the client is logged in. */
export type ServerHalf = (initialResponse: Uint8Array | undefined, ask: Ask) => Promise<unknown>;

/** The client's messages in one exchange. */
export interface Recording {
  readonly initialResponse: Uint8Array | undefined;
  readonly responses: readonly Uint8Array[];
}

/** Runs one exchange and returns the client's messages. With fixed nonces they are right again. */
export async function record(server: ServerHalf, responder: Responder, tls: TlsInfo | undefined): Promise<Recording> {
  let initialResponse: Uint8Array | undefined;
  const responses: Uint8Array[] = [];
  let ended: Promise<unknown> | undefined;
  let challenged = Promise.withResolvers<Uint8Array | undefined>();
  let answered = Promise.withResolvers<Uint8Array>();
  const ask: Ask = (challenge) => {
    answered = Promise.withResolvers();
    challenged.resolve(challenge);
    return answered.promise;
  };
  const say = (message: Uint8Array | undefined): Promise<Uint8Array | undefined> => {
    challenged = Promise.withResolvers();
    if (ended === undefined) {
      initialResponse = message;
      ended = server(message, ask);
      ended.then(
        () => challenged.resolve(undefined),
        (error: unknown) => challenged.reject(error),
      );
    } else if (message !== undefined) {
      responses.push(message);
      answered.resolve(message);
    }
    return challenged.promise;
  };
  await responder.respond(say, { tls, secure: true, offered: [] });
  return { initialResponse, responses };
}

/** Replays the recording `times` times. Resolves with the milliseconds of processor time. */
export async function replay(
  times: number,
  server: ServerHalf,
  { initialResponse, responses }: Recording,
): Promise<number> {
  const begin = processorTime();
  for (let n = 0; n < times; n++) {
    let next = 0;
    await server(initialResponse, () => Promise.resolve(responses[next++] as Uint8Array));
  }
  return processorTime() - begin;
}

/** Returns the processor time of this process so far, in milliseconds. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
