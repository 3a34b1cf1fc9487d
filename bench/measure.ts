import type { LoadGenerator } from './load.ts';
import { progress } from './progress.ts';
import { type Measured, type Sample, sampleOf } from './sample.ts';
import type { ServerName } from './server-names.ts';
import { type Setting, startServer } from './servers.ts';
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

/**
 * Measures the servers at one work, in turn and round by round, so that other work on the machine
 * delays all of them. Each measurement has a fresh process. Never rejects.
 */
export async function measureWork(
  work: Work,
  names: readonly ServerName[],
  setting: Setting,
  load: LoadGenerator,
  schedule: Schedule,
): Promise<Measured> {
  const servers = names.filter((name) => !work.without?.includes(name));
  const rounds = new Map(servers.map((name): [ServerName, Sample[][]] => [name, []]));
  const failures = new Map<ServerName, string>();
  for (let round = 0; round < schedule.rounds; round++) {
    // Every second round runs in the opposite order: no server is always the first.
    for (const name of round % 2 === 0 ? servers : servers.toReversed()) {
      if (round >= roundsOf(name, schedule)) continue;
      const label = `${work.id} ${round + 1}/${schedule.rounds} ${name}`;
      try {
        const samples = await measureOnce(name, work, setting, load, schedule);
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

async function measureOnce(
  name: ServerName,
  work: Work,
  setting: Setting,
  load: LoadGenerator,
  { windows }: Schedule,
): Promise<Sample[]> {
  await using server = await startServer(name, work, setting);
  const seen = await load.run(work, server, windows);
  const messages = await server.countMessages?.();
  if (messages !== undefined && messages !== seen.messages)
    throw new Error(`the server took ${messages} messages and acknowledged ${seen.messages}`);
  // The first connections have no ticket yet.
  if (work.tls === 'resumed' && seen.resumed < seen.sessions - 2 * work.connections)
    throw new Error(`the server resumed ${seen.resumed} of ${seen.sessions} TLS sessions`);
  return windows.map((_, index) => sampleOf(work, seen.windows[index] as Window));
}

function roundsOf(name: ServerName, { rounds, roundsOfOthers = rounds }: Schedule): number {
  return name === 'command' || name === 'before' ? rounds : roundsOfOthers;
}
