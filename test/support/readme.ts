/** Returns the first ```ts fence of a README, and the next fence if it is ```text. */
export function firstExample(readme: string): { example?: string | undefined; output?: string | undefined } {
  const fences = [...readme.matchAll(/^```(\w*)[^\n]*\n(.*?)^```$/gms)].map(([, language, text]) => ({
    language,
    text,
  }));
  const at = fences.findIndex(({ language }) => language === 'ts');
  const next = at < 0 ? undefined : fences[at + 1];
  return { example: fences[at]?.text, output: next?.language === 'text' ? next.text : undefined };
}

/** Returns the packages of the README's `npm install` lines. */
export function installed(readme: string): readonly string[] {
  const lines = readme.matchAll(/^ *npm install (.*)$/gm);
  return Array.from(lines, ([, names = '']) => names.split(' ').filter((name) => !name.startsWith('-'))).flat();
}
