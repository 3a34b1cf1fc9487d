import { basic } from '../basic/basic.ts';
import { bearer } from '../bearer/bearer.ts';
import { digest } from '../digest/digest.ts';
import { scram } from '../scram/scram.ts';
import type { HttpScheme } from './scheme.ts';

/**
 * Returns the schemes that a server offers where the operator names none. The strongest comes
 * first, because a client takes the first one that it knows.
 */
export function defaultSchemes(): readonly HttpScheme[] {
  return [scram(), digest(), bearer(), basic()];
}
