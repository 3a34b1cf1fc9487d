import { setImmediate } from 'node:timers/promises';
import type { Interface, PasswordProof } from '@postern/cred';
import { canonicalName } from '../canonical-name.ts';
import { type CommonInterfaces, credentialForms } from '../credential-forms.ts';
import type { UserRecord } from '../user-record.ts';
import { LineSplitter } from './line-splitter.ts';
import type { UserFileItem, UserFileOptions, UserFileProblem } from './user-file.ts';
import { UserFileParser } from './user-file-parser.ts';

/** The users of one version of a user file. */
export class UserTable {
  /** The entries by canonical names. A problem stands for a user whose line is refused. */
  readonly #entries = new Map<string, UserEntry | UserFileProblem>();
  readonly #forms = new Set<number>();
  readonly #problems: UserFileProblem[] = [];
  #size = 0;

  private constructor() {}

  /** Reads the users, in slices between which other work of the process runs. */
  static async of(content: Uint8Array, options: UserFileOptions): Promise<UserTable> {
    const table = new UserTable();
    const [splitter, parser] = [new LineSplitter(), new UserFileParser(options)];
    for (let start = 0; start < content.length; start += SLICE_OCTETS) {
      if (start > 0) await setImmediate();
      for (const line of splitter.push(content.subarray(start, start + SLICE_OCTETS))) {
        for (const item of parser.line(line)) table.#add(item);
      }
    }
    const last = splitter.end();
    if (last !== undefined) for (const item of parser.line(last)) table.#add(item);
    return table;
  }

  /** The number of users that `find` returns. */
  get size(): number {
    return this.#size;
  }

  /** The problems of the file in the order of its lines, without the notes. */
  get problems(): readonly UserFileProblem[] {
    return this.#problems;
  }

  get(canonical: string): UserEntry | UserFileProblem | undefined {
    return this.#entries.get(canonical);
  }

  /** Returns the canonical names of the users that `find` returns, in the order of the file. */
  *names(): Generator<string, void> {
    for (const [name, { kind }] of this.#entries) if (kind === 'user') yield name;
  }

  credentialInterfaces(common: CommonInterfaces): readonly Interface<PasswordProof>[] {
    return common.of(this.#forms);
  }

  #add(item: UserFileItem): void {
    if (item.kind === 'problem') {
      if (item.effect === 'note') return;
      this.#problems.push(item);
      if (item.effect !== 'refused' || item.name === undefined) return;
    }
    const canonical = canonicalName((item.kind === 'user' ? item.user.name : item.name) ?? '');
    if (canonical === undefined) return;
    if (item.kind === 'problem') {
      this.#entries.set(canonical, item);
      return;
    }
    this.#size++;
    const { user, passwordExpires } = item;
    this.#entries.set(canonical, { kind: 'user', user, passwordExpires: passwordExpires?.getTime() });
    const forms = credentialForms(user);
    if (forms !== undefined) this.#forms.add(forms);
  }
}

/** A user, and the time in milliseconds since 1970 from which the password must be changed. */
export interface UserEntry {
  readonly kind: 'user';
  readonly user: UserRecord;
  readonly passwordExpires: number | undefined;
}

/** About 200 users, which take a few milliseconds. */
const SLICE_OCTETS = 16_384;
