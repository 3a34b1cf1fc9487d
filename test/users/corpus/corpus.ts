import { readdirSync, readFileSync } from 'node:fs';

/** Stored passwords that one program wrote, and the program's own judgement of passwords. */
export interface CorpusFile {
  /** The program's name and version, with its Debian package. */
  readonly tool: string;
  /** The program that gave the verdicts. */
  readonly verifier: string;
  readonly entries: readonly CorpusEntry[];
}

/** One stored password. */
export interface CorpusEntry {
  /** The scheme in the words of the program. */
  readonly scheme: string;
  /** The command that wrote the text, with `PASSWORD` for the password. */
  readonly command: string;
  readonly text: string;
  /** The password that the program stored. */
  readonly password: string;
  /** What the verifier said about this password and others. */
  readonly verdicts: readonly Verdict[];
  /** True if one comparison takes more than 0.2 s of CPU time. */
  readonly costly?: true;
}

/** The verifier's answer to one password. */
export interface Verdict {
  readonly password: string;
  readonly accepted: boolean;
  /** The verifier's message if it could not compare. */
  readonly error?: string;
}

/** Returns the files of the corpus by name, without `.json`. `generate.ts` writes them. */
export function readCorpus(): ReadonlyMap<string, CorpusFile> {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
  return new Map(
    names.map((name) => [name.slice(0, -'.json'.length), JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))]),
  );
}

const FOLDER = new URL('./', import.meta.url);
