import type { Random } from '../fuzz/random.ts';

/** Changes, removes or inserts some octets. `oddities` are what it inserts. */
export function mutated(random: Random, step: string, oddities: readonly string[]): string {
  const at = random.below(step.length + 1);
  switch (random.below(4)) {
    case 0:
      return step.slice(0, at) + step.slice(at + 1 + random.below(4));
    case 1:
      return step.slice(0, at) + String.fromCharCode(random.below(256)) + step.slice(at + 1);
    case 2:
      return step.slice(0, at) + random.pick(oddities) + step.slice(at);
    default:
      return step.slice(0, at) + step.slice(random.below(at + 1));
  }
}
