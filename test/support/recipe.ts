import { readFileSync } from 'node:fs';

/** The folder of the recipes: `docs/recipes/`. */
const RECIPES = new URL('../../docs/recipes/', import.meta.url);

/**
 * Returns a whole configuration file of `docs/recipes/NAME.md`. A line with the path of the file in
 * backticks and a colon stands before its fence: "`/etc/nginx/nginx.conf`:".
 *
 * @throws Error unless the recipe has exactly one such fence.
 */
export function recipeFile(name: string, path: string): string {
  const text = readFileSync(new URL(`${name}.md`, RECIPES), 'utf8');
  const fences = [...text.matchAll(/^`([^`\n]+)`:\n\n```\w*\n(.*?)^```$/gms)].filter(([, title]) => title === path);
  const [[, , file = ''] = []] = fences;
  if (fences.length !== 1)
    throw new Error(`docs/recipes/${name}.md has ${fences.length} fences of ${path}, expected 1`);
  return file;
}

/** Returns the arguments of each `postern serve` in an indented line of `docs/recipes/NAME.md`. */
export function recipeCommands(name: string): readonly (readonly string[])[] {
  const text = readFileSync(new URL(`${name}.md`, RECIPES), 'utf8');
  return Array.from(text.matchAll(/^ {4}postern serve (.*)$/gm), ([, args = '']) =>
    Array.from(args.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, bare]) => quoted ?? bare ?? ''),
  );
}

/**
 * Returns the arguments of the one `postern serve` that the recipe `docs/recipes/NAME.md` has, as
 * an indented line of its own, with these texts replaced. An argument may stand in single quotes.
 *
 * @throws Error unless the recipe has exactly one such line.
 */
export function recipeArguments(name: string, replacements: Readonly<Record<string, string>>): readonly string[] {
  const text = readFileSync(new URL(`${name}.md`, RECIPES), 'utf8');
  const lines = [...text.matchAll(/^ {4}postern serve (.*)$/gm)].map(([, line = '']) => line);
  const [line = ''] = lines;
  if (lines.length !== 1) throw new Error(`docs/recipes/${name}.md has ${lines.length} commands, expected 1`);
  return replaceEach(line, replacements)
    .split(' ')
    .map((word) => word.replace(/^'(.*)'$/, '$1'));
}

/**
 * Replaces each of the texts wherever it occurs.
 *
 * @throws Error if a text does not occur: then the recipe and its test differ.
 */
export function replaceEach(file: string, replacements: Readonly<Record<string, string>>): string {
  let replaced = file;
  for (const [text, replacement] of Object.entries(replacements)) {
    if (!replaced.includes(text)) throw new Error(`the recipe lacks ${text}`);
    replaced = replaced.replaceAll(text, replacement);
  }
  return replaced;
}
