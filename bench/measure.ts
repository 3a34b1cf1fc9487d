import type { LoadedWork, Seen, WindowRequest } from './load.ts';
import type { RunningServer } from './processes.ts';
import { progress } from './progress.ts';
import { type Measured, type Sample, sampleOf } from './sample.ts';
import type { Window } from './window.ts';
import type { Work } from './works.ts';

/** How often, and when, to measure. */
export interface Schedule {
  readonly rounds: number;
  /** Milliseconds of the server's processor time before each window, and in it. */
  readonly windows: readonly { readonly after: number; readonly length: number }[];
  /** The rounds of the servers that no ratio is asked to; fewer than `rounds` save time. */
  readonly roundsOfOthers?: number;
}

/** What the load generator does, and the operation whose cost is measured. */
export type MeasuredWork = Pick<LoadedWork, 'id' | 'connections' | 'tls'> & Pick<Work, 'unit'>;

/** A load generator for works of this kind, and servers of this kind. */
export interface Load<W, Server> {
  /** Puts a server under the load of a work. Rejects at the first unexpected reply. */
  run(work: W, server: Server, windows: readonly WindowRequest[]): Promise<Seen>;
}

/**
 * Measures the servers at one work, in turn and round by round, so that other work on the machine
 * delays all of them. Each measurement has a fresh process. Never rejects.
 */
export async function measureWork<Name extends string, W extends MeasuredWork, Server extends RunningServer>(
  work: W,
  servers: readonly Name[],
  start: (name: Name) => Promise<Server>,
  load: Load<NoInfer<W>, Server>,
  schedule: Schedule,
): Promise<Measured<Name>> {
  const rounds = new Map(servers.map((name): [Name, Sample[][]] => [name, []]));
  const failures = new Map<Name, string>();
  for (let round = 0; round < schedule.rounds; round++) {
    // Every second round runs in the opposite order: no server is always the first.
    for (const name of round % 2 === 0 ? servers : servers.toReversed()) {
      if (round >= roundsOf(name, schedule)) continue;
      const label = `${work.id} ${round + 1}/${schedule.rounds} ${name}`;
      try {
        const samples = await measureOnce(() => start(name), work, load, schedule);
        rounds.get(name)?.push(samples);
        const seen = samples.map(({ cost, rate }) => `${cost.toFixed(1)} µs, ${Math.round(rate)}/s`);
        progress(`${label}: ${seen.join('; ')}`);
      } catch (error) {
        rounds.get(name)?.push([]);
        failures.set(name, (error as Error).message);
        progress(`${label} failed: ${(error as Error).message}`);
      }
    }
  }
  return { rounds, failures };
}

async function measureOnce<W extends MeasuredWork, Server extends RunningServer>(
  start: () => Promise<Server>,
  work: W,
  load: Load<NoInfer<W>, Server>,
  { windows }: Schedule,
): Promise<Sample[]> {
  await using server = await start();
  const seen = await load.run(work, server, windows);
  const messages = await server.countMessages?.();
  if (messages !== undefined && messages !== seen.messages)
    throw new Error(`the server took ${messages} messages and acknowledged ${seen.messages}`);
  // The first connections have no ticket yet.
  if (work.tls === 'resumed' && seen.resumed < seen.sessions - 2 * work.connections)
    throw new Error(`the server resumed ${seen.resumed} of ${seen.sessions} TLS sessions`);
  return windows.map((_, index) => sampleOf(work, seen.windows[index] as Window));
}

function roundsOf(name: string, { rounds, roundsOfOthers = rounds }: Schedule): number {
  return name === 'command' || name === 'before' ? rounds : roundsOfOthers;
}
