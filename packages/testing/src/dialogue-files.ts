import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A dialogue that was written to a file. */
export interface DialogueFile {
  /** The file's name without its extension. */
  readonly name: string;
  /** The first comment: a sentence. */
  readonly title: string;
  /** What further comments of the form `# name: words` say, for whoever sets up the server. */
  readonly settings: ReadonlyMap<string, string>;
  readonly script: string;
}

/** The dialogues in a folder, by name: its files with this extension. */
export function dialogueFiles(folder: string, extension = '.smtp'): readonly DialogueFile[] {
  const names = readdirSync(folder).filter((name) => name.endsWith(extension));
  return names.toSorted().map((name) => {
    const script = readFileSync(join(folder, name), 'utf8');
    const comments = Array.from(script.matchAll(/^# ?(.*)$/gm), ([, comment = '']) => comment);
    const settings = comments.slice(1).flatMap((comment) => {
      const [, setting, words] = /^([a-z-]+): (.*)$/.exec(comment) ?? [];
      return setting === undefined || words === undefined ? [] : [[setting, words] as const];
    });
    return { name: name.slice(0, -extension.length), title: comments[0] ?? '', settings: new Map(settings), script };
  });
}
