import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import wabt from 'wabt';
import { DOT_KERNEL_CODE } from '../../packages/conversation/src/dot-kernel.ts';

test('the checked-in code of the kernel is what its source assembles to', async () => {
  const source = 'packages/conversation/src/dot-kernel.wat';
  const assembler = await wabt();
  const module = assembler.parseWat(source, readFileSync(source, 'utf8'), { simd: true });
  const { buffer } = module.toBinary({});
  expect(DOT_KERNEL_CODE).toBe(Buffer.from(buffer).toString('base64'));
});
