// npm run fuzz -- [--inputs N] [--seed S] [--only TEXT] [--input BASE64] [--no-properties]
// Runs the parsers on mutated inputs, then all properties of the tests twenty times as often. An
// input that shows an outcome or a block of the source for the first time is mutated further.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { FuzzFailure, type FuzzReport, fuzz } from './fuzz/engine.ts';
import { runProperties } from './fuzz/properties.ts';
import type { Target } from './fuzz/target.ts';
import { targets } from './fuzz/targets/index.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({
    allowNegative: true,
    options: {
      inputs: { type: 'string', default: '10000000' },
      seed: { type: 'string', default: String(randomInt(2 ** 32)) },
      only: { type: 'string', default: '' },
      input: { type: 'string' },
      properties: { type: 'boolean' },
    },
  });
  const [inputs, seed] = [Number(values.inputs), Number(values.seed)];
  if (!(inputs >= 1)) throw new Error(`--inputs: expected a number from 1, not ${values.inputs}`);
  if (!Number.isInteger(seed)) throw new Error(`--seed: expected an integer, not ${values.seed}`);
  const chosen = targets.filter(({ name }) => name.includes(values.only));
  if (chosen.length === 0) throw new Error(`--only: expected a part of ${targets.map(({ name }) => name).join(', ')}`);
  if (values.input !== undefined) return await runOnce(chosen, Buffer.from(values.input, 'base64'));

  console.log(`seed ${seed}`);
  let total = 0;
  for (const target of chosen) total += (await campaign(target, Math.ceil(inputs / chosen.length), seed)).inputs;
  console.log(`${total} inputs in ${chosen.length} parsers`);
  if (process.exitCode !== undefined || !(values.properties ?? values.only === '')) return;
  const properties = await runProperties();
  console.log(`${properties.runs} inputs in properties, of sessions and parsers`);
  console.log(`${total + properties.runs} inputs in all`);
  process.exitCode = properties.status;
}

/** Prints what came of one parser. */
async function campaign(target: Target, inputs: number, seed: number): Promise<Pick<FuzzReport, 'inputs'>> {
  try {
    const report = await fuzz(target, inputs, seed);
    const { corpus, signatures, blocks, seconds } = report;
    const rate = Math.round(report.inputs / seconds);
    console.log(
      `${target.name.padEnd(18)} ${report.inputs} inputs, ${rate}/s, corpus ${corpus}, outcomes ${signatures}, blocks ${blocks}`,
    );
    return report;
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error;
    console.error(`${target.name.padEnd(18)} FAILED: ${error.message}`);
    console.error(`  input ${JSON.stringify(error.input.toString('latin1'))}`);
    console.error(`  again: npm run fuzz -- --only '${target.name}' --input ${error.input.toString('base64') || "''"}`);
    process.exitCode = 1;
    return { inputs: 0 };
  }
}

/** Runs one input that failed before, and throws as it did. */
async function runOnce(chosen: readonly Target[], input: Buffer): Promise<void> {
  for (const target of chosen) console.log(`${target.name}: ${await target.run(Buffer.from(input))}`);
}

await main();
