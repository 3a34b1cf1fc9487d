import type { WriteStream } from 'node:tty';

/**
 * True if the stream is a terminal that shows colours. The environment has the last word: `NO_COLOR`
 * (not empty) turns colours off, `FORCE_COLOR` turns them on.
 */
export function hasColours(
  stream: Partial<Pick<WriteStream, 'isTTY' | 'hasColors'>>,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  if (env['FORCE_COLOR'] !== undefined) return env['FORCE_COLOR'] !== '0';
  return stream.isTTY === true && stream.hasColors?.(env) === true;
}
