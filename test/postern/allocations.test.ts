import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { run } from '../support/program.ts';

/**
 * Octets of the JavaScript heap per operation, with the client's share, which the test prints: the
 * median measured and 15 percent more. The medians of SCRAM scatter by 10 percent, the others by 3.
 * A change that allocates less lowers its rows. A change that must allocate more raises its rows
 * and states the reason in its commit.
 */
const BUDGETS = {
  command: {
    'EHLO, QUIT': 7_200,
    'login PLAIN': 11_750,
    session: 16_750,
    'message, a command at a time': 4_450,
    'message, pipelined': 3_700,
  },
  library: {
    'EHLO, QUIT': 6_950,
    'login PLAIN': 10_450,
    'login SCRAM-SHA-256': 35_500,
    session: 16_350,
    'message, a command at a time': 4_300,
    'message, pipelined': 3_550,
  },
} as const;

/** The Node that npm installed: another version of V8 allocates other amounts. */
const NODE = join(import.meta.dirname, `../../node_modules/node-${process.platform}-${process.arch}/bin/node`);

if (!existsSync(NODE)) console.warn(`skipped: ${NODE} does not exist; npm ci installs it on Linux`);

describe.skipIf(!existsSync(NODE))('the allocations', { timeout: 300_000 }, () => {
  it.for(Object.entries(BUDGETS))('of %s stay within their budgets', async ([server, budgets]) => {
    const measured = await measure(server);
    const client = await measure('none');
    console.log(`octets per operation, ${server}`);
    console.table(
      Object.entries(budgets).map(([work, budget]) => ({
        work,
        budget,
        measured: measured[work],
        client: client[work],
      })),
    );
    for (const [work, budget] of Object.entries(budgets)) expect(measured[work], work).toBeLessThanOrEqual(budget);
  });
});

async function measure(server: string): Promise<Readonly<Record<string, number>>> {
  const script = join(import.meta.dirname, 'allocations/measure.ts');
  const { code, output } = await run(NODE, [...FLAGS, script, server]);
  if (code !== 0) throw new Error(`${server}: ${output}`);
  return JSON.parse(output);
}

/** The new space is large, so that few windows contain a collection. */
const FLAGS = ['--conditions=postern-source', '--min-semi-space-size=64', '--max-semi-space-size=64'];
