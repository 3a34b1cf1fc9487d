import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { OptionTable } from './option-table.ts';
import { suggestion } from './suggest.ts';
import { UsageError } from './usage-error.ts';

/**
 * Parses a command's arguments by the table of its options. Throws a UsageError that names the wrong
 * option, suggests the nearest one and names the help page.
 */
export function parseStrictly<const T extends OptionTable>(argv: readonly string[], options: T, page: string) {
  const config = { args: [...argv], options, strict: true, allowPositionals: true, tokens: true } as const;
  try {
    return parseArgs(config satisfies ParseArgsConfig);
  } catch (error) {
    // The first sentence of Node names the option; the rest is about values that begin with a dash.
    const [sentence = ''] = (error instanceof Error ? error.message : String(error)).split(/\.? To specify|\n/);
    const given = /^Unknown option '--?(.*?)'/s.exec(sentence)?.[1];
    const meant = given === undefined ? '' : suggestion(`--${given}`, Object.keys(options).map(asOption));
    throw new UsageError(`${sentence}; expected the options of postern ${page} --help${meant}`, { cause: error });
  }
}

function asOption(name: string): string {
  return `--${name}`;
}
