import type { Address } from '@postern/core';
import { charactersOf } from './character-set.ts';
import type { LogBuffer } from './log-buffer.ts';

/**
 * Appends an address as `formatAddress` does and returns true; returns false if its text may
 * need another form.
 */
export function copyAddress(lines: LogBuffer, { family, address, port }: Address): boolean {
  if (family === 'unix') return lines.copy(family, PLAIN_ADDRESS);
  if (family === 'IPv6') lines.ascii('[');
  if (!lines.copy(address, PLAIN_ADDRESS)) return false;
  lines.ascii(family === 'IPv6' ? ']:' : ':');
  lines.number(port);
  return true;
}

const PLAIN_ADDRESS = charactersOf(/[\w.:%-]/);
