import { defaultChallengers, login, overrideChallengers, plain } from '@postern/sasl';
import { describe, expect, it } from 'vitest';

const family = defaultChallengers({ hostname: 'mx.example.com', mechanisms: ['PLAIN', 'LOGIN'] });

describe('overrideChallengers', () => {
  it('replaces the challenger with the same mechanism', () => {
    const mine = plain();
    const all = overrideChallengers(family, mine);
    expect(all.map(({ mechanism }) => mechanism)).toEqual(['PLAIN', 'LOGIN']);
    expect(all[0]).toBe(mine);
    expect(family[0]).not.toBe(mine);
  });

  it('places a new mechanism first', () => {
    const mine = { ...plain(), mechanism: 'X-MINE' };
    expect(overrideChallengers(family, mine).map(({ mechanism }) => mechanism)).toEqual(['X-MINE', 'PLAIN', 'LOGIN']);
  });

  it('throws for two challengers of one mechanism, and for a wrong name', () => {
    expect(() => overrideChallengers(family, login(), login())).toThrow('LOGIN occurs twice');
    expect(() => overrideChallengers(family, { ...plain(), mechanism: 'not a name' })).toThrow(TypeError);
  });
});
