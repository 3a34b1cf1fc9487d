import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A dialogue script in a file. */
export interface DialogueFile {
  /** The name of the file without its extension. */
  readonly name: string;
  /** The first comment. */
  readonly title: string;
  /** The later comments of the form `# name: words`, for the setup of the server. */
  readonly settings: ReadonlyMap<string, string>;
  readonly script: string;
}

/** Reads the dialogues of a folder: its files with this extension, sorted by name. */
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
