import { basic } from '../basic/basic.ts';
import type { HttpScheme } from './scheme.ts';

/** Returns the schemes that a server offers where the operator names none, in their order. */
export function defaultSchemes(): readonly HttpScheme[] {
  return [basic()];
}
