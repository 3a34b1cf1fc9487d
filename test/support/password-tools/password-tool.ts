import { spawnSync } from 'node:child_process';
import { run } from '../program.ts';

/** A program or library that writes stored passwords, or that judges them. */
export interface PasswordTool {
  /** The name of its file in the corpus: `htpasswd`. */
  readonly name: string;
  /** Returns true, and prints how to install what is missing, if tests of the tool must skip. */
  readonly skips: () => boolean;
  /** The schemes that it writes. */
  readonly forms: readonly Form[];
  /** Returns the command line, with `PASSWORD` for the password. */
  readonly command: (form: Form) => string;
  /** Starts the servers that the tool needs. */
  readonly open: () => Promise<OpenPasswordTool>;
}

/** One way to call the tool. */
export interface Form {
  /** The name of the scheme in the tool's own words. */
  readonly scheme: string;
  /** The options of the call, as the tool understands them. */
  readonly options: readonly string[];
  /** True if one comparison takes more than 0.2 s of CPU time. */
  readonly costly?: true;
  /** The passwords that the corpus has. Default: one of a list, in turn. */
  readonly passwords?: readonly string[];
  /** True if the hash reads 72 octets of the password. */
  readonly bcrypt?: true;
  /** True if the hash reads 8 octets of the password, or blocks of 8. */
  readonly des?: true;
}

/** A tool that is ready to write and judge. */
export interface OpenPasswordTool extends AsyncDisposable {
  /** The name and version of the program, and of its Debian package. */
  readonly version: string;
  /** The program that judges: often the tool itself. */
  readonly verifier: string;
  /** Resolves to the stored form of the password. */
  readonly write: (form: Form, password: string) => Promise<string>;
  /** Resolves to what the verifier says about a password for this stored form. */
  readonly judge: (form: Form, text: string, password: string) => Promise<Judgement>;
}

/** The verifier's answer. */
export interface Judgement {
  readonly accepted: boolean;
  /** The verifier's message if it could not compare: `Unknown scheme`. */
  readonly error?: string;
}

/** The name of the user, for schemes and verifiers that need one. */
export const USER = 'joe@example.org';

/** Returns the words as one command line. It quotes words with characters of the shell. */
export function commandLine(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

/** Returns the version of an installed Debian package: `whois 5.5.17`. */
export function packageVersion(name: string): string {
  const { stdout } = spawnSync('dpkg-query', ['--show', name], { encoding: 'utf8' });
  return stdout.trim().replace('\t', ' ');
}

/** Runs a program and resolves to its output without the last line end. Rejects if it fails. */
export async function outputOf(program: string, args: readonly string[], input = ''): Promise<string> {
  const { code, output } = await run(program, args, input);
  if (code !== 0) throw new Error(`${commandLine([program, ...args])}: ${output}`);
  return output.replace(/\n+$/, '');
}
