import { checkChallengers, checkMechanismName, plain } from '@postern/sasl';
import { describe, expect, it } from 'vitest';

describe('checkMechanismName', () => {
  it.each(['PLAIN', 'SCRAM-SHA-256-PLUS', 'X_1', 'A', 'A'.repeat(20)])('takes %j', (name) => {
    expect(() => checkMechanismName(name)).not.toThrow();
  });

  it.each(['', 'plain', 'PLAIN ', 'PLAIN\n', 'A'.repeat(21), 'ÄH', 'A.B', 'A+B', 'A B'])('refuses %j', (name) => {
    expect(() => checkMechanismName(name)).toThrow(TypeError);
  });
});

describe('checkChallengers', () => {
  it('gives back a list that can be offered', () => {
    const list = [plain()];
    expect(checkChallengers(list)).toBe(list);
  });

  it('refuses two challengers of one name, and one that cannot be called so', () => {
    expect(() => checkChallengers([plain(), plain()])).toThrow(TypeError);
    expect(() => checkChallengers([{ ...plain(), mechanism: 'plain' }])).toThrow(TypeError);
  });
});
