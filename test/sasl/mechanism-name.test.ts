import { checkChallengers, checkMechanismName, plain } from '@postern/sasl';
import { describe, expect, it } from 'vitest';

describe('checkMechanismName', () => {
  it.each(['PLAIN', 'SCRAM-SHA-256-PLUS', 'X_1', 'A', 'A'.repeat(20)])('accepts %j', (name) => {
    expect(() => checkMechanismName(name)).not.toThrow();
  });

  it.each(['', 'plain', 'PLAIN ', 'PLAIN\n', 'A'.repeat(21), 'ÄH', 'A.B', 'A+B', 'A B'])('refuses %j', (name) => {
    expect(() => checkMechanismName(name)).toThrow(TypeError);
  });
});

describe('checkChallengers', () => {
  it('returns a list that a server can offer', () => {
    const list = [plain()];
    expect(checkChallengers(list)).toBe(list);
  });

  it('throws for two challengers of one name, and for a wrong name', () => {
    expect(() => checkChallengers([plain(), plain()])).toThrow(TypeError);
    expect(() => checkChallengers([{ ...plain(), mechanism: 'plain' }])).toThrow(TypeError);
  });
});
