import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { LineClient } from '../line-client.ts';
import { quantile } from '../statistics.ts';

/** How long answers take, in milliseconds. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/**
 * The time of NOOP at the server, and beside it that of an echo, which shows the noise of the
 * machine.
 */
export interface Measurement {
  readonly noop: Latency;
  readonly echo: Latency;
}

/** A client of one protocol that asks NOOP. */
export interface Prober extends Disposable {
  say(line: string): Promise<string>;
}

/** Measures for this many seconds, one question at a time. */
export async function measure(open: OpenProber, echoPort: number, seconds: number): Promise<Measurement> {
  const [noops, echoes]: [number[], number[]] = [[], []];
  const echo = connect(echoPort, '127.0.0.1').setNoDelay(true);
  await once(echo, 'connect');
  const end = performance.now() + seconds * 1_000;
  try {
    for (let network = 0; performance.now() < end; network++) {
      using client = await open(`127.250.${network % 250}.1`);
      for (let count = 0; count < PER_CONNECTION && performance.now() < end; count++) {
        noops.push(await timed(() => client.say('NOOP')));
        echoes.push(await timed(() => ask(echo)));
        await pause(PAUSE_MS);
      }
    }
  } finally {
    echo.destroy();
  }
  return { noop: latency(noops), echo: latency(echoes) };
}

/** Connects from an address, and resolves when NOOP may be asked. */
export type OpenProber = (localAddress: string) => Promise<Prober>;

export function smtpProber(port: number): OpenProber {
  return async (localAddress) => {
    const client = await LineClient.connect(port, localAddress);
    await client.say('EHLO prober.example.org');
    return client;
  };
}

async function timed(question: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await question();
  return performance.now() - start;
}

async function ask(echo: Socket): Promise<void> {
  echo.write('NOOP\r\n');
  await once(echo, 'data');
}

function latency(sample: readonly number[]): Latency {
  return { p50: quantile(sample, 0.5), p99: quantile(sample, 0.99) };
}

/**
 * A server may delay the commands of a connection that brings no message: the prober takes a new
 * one before.
 */
const PER_CONNECTION = 40;
const PAUSE_MS = 2;
