import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as tables from '../../../packages/sasl/src/saslprep/tables.ts';

// The tables of another implementation. Its package exports only the function that uses them. The
// package's packed tables load in a twentieth of the time of its `code-points-src.js`.
const require = createRequire(import.meta.url);
const folder = dirname(require.resolve('@mongodb-js/saslprep'));
const { createMemoryCodePoints } = require(join(folder, 'memory-code-points.js'));
const { default: packedTables } = require(join(folder, 'code-points-data.js'));
const theirs: Record<string, { get(codePoint: number): boolean }> = createMemoryCodePoints(packedTables);

describe('the tables of RFC 3454', () => {
  it.each([
    ['A.1', tables.UNASSIGNED, 'unassigned_code_points'],
    ['B.1', tables.MAPPED_TO_NOTHING, 'commonly_mapped_to_nothing'],
    ['C.1.2', tables.NON_ASCII_SPACES, 'non_ASCII_space_characters'],
    ['C.1.2 to C.9', tables.PROHIBITED, 'prohibited_characters'],
    ['D.1', tables.RIGHT_TO_LEFT, 'bidirectional_r_al'],
    ['D.2', tables.LEFT_TO_RIGHT, 'bidirectional_l'],
  ])('%s contains the code points of another implementation', (_table, ours, name) => {
    let size = 0;
    const differing = codePointsThat((codePoint) => {
      const expected = theirs[name]?.get(codePoint) === true;
      if (expected) size += 1;
      return ours.has(codePoint) !== expected;
    });
    expect(differing).toEqual([]);
    expect(size).toBeGreaterThan(0);
  });

  it('A.1 contains no code point that D.1, D.2 or C.1.2 contains', () => {
    const { UNASSIGNED, RIGHT_TO_LEFT, LEFT_TO_RIGHT, NON_ASCII_SPACES } = tables;
    const assigned = [RIGHT_TO_LEFT, LEFT_TO_RIGHT, NON_ASCII_SPACES];
    expect(codePointsThat((one) => UNASSIGNED.has(one) && assigned.some((table) => table.has(one)))).toEqual([]);
  });
});

function codePointsThat(holds: (codePoint: number) => boolean): string[] {
  const found: string[] = [];
  for (let codePoint = 0; codePoint < 0x110000; codePoint++) {
    if (holds(codePoint)) found.push(`U+${codePoint.toString(16)}`);
  }
  return found;
}
