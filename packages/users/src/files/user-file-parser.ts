import { canonicalName, MAX_NAME_OCTETS } from '../canonical-name.ts';
import { SecretError } from '../errors.ts';
import { parseSecret } from '../secrets/parse-secret.ts';
import type { UserRecord } from '../user-record.ts';
import { htpasswdLine } from './htpasswd.ts';
import type { Line } from './line-splitter.ts';
import type { NoUser, ParsedLine } from './parsed-line.ts';
import { passwdFileLine } from './passwd-file.ts';
import { shadowLine } from './shadow.ts';
import type { UserFileEffect, UserFileItem, UserFileOptions, UserFileProblem } from './user-file.ts';

/**
 * Reads a user file line by line. The rules that hold for all formats are here: names, duplicates,
 * and secrets. The parser keeps the canonical name of each line, to find duplicates.
 */
export class UserFileParser {
  readonly #options: UserFileOptions;
  readonly #now: number;
  /** The numbers of the lines by the canonical names of their users. */
  readonly #lines = new Map<string, number>();
  #line = 0;

  constructor(options: UserFileOptions) {
    this.#options = options;
    this.#now = (options.now ?? Date.now)();
  }

  /** Reads the next line. Returns its user, its problems, or both. */
  line(line: Line): UserFileItem[] {
    this.#line++;
    if ('fault' in line) return [this.#problem('file', undefined, line.fault)];
    const parsed = this.#parse(line.text);
    return 'name' in parsed ? this.#user(parsed) : this.#noUser(parsed);
  }

  #parse(text: string): ParsedLine | NoUser {
    switch (this.#options.format) {
      case 'htpasswd':
        return htpasswdLine(text);
      case 'passwd-file':
        return passwdFileLine(text, this.#options.defaultScheme);
      case 'shadow':
        return shadowLine(text);
    }
  }

  #noUser(parsed: NoUser): UserFileItem[] {
    // Without a name: a line without a colon may be the secret of the line before it.
    if ('malformed' in parsed) return [this.#problem('refused', undefined, parsed.malformed)];
    const name = /^(#[^\s:]+):[${]/.exec(parsed.comment ?? '')?.[1];
    // htpasswd adds a user "#joe", and all readers then take the line as a comment.
    return name === undefined ? [] : [this.#problem('note', name, 'is a comment, though it looks like a user')];
  }

  #user(parsed: ParsedLine): UserFileItem[] {
    const { name, refusalReasons = [] } = parsed;
    if (looksLikeSecret(name)) return [this.#problem('refused', undefined, 'begins with a hash; expected a name')];
    const canonical = canonicalName(name);
    if (canonical === undefined || name.trim() !== name) return [this.#problem('refused', undefined, nameFault(name))];
    const other = this.#lines.get(canonical);
    if (other !== undefined) {
      const reason = `is on line ${other} also, perhaps in other letters; expected one line a user`;
      return [this.#problem('file', name, reason)];
    }
    this.#lines.set(canonical, this.#line);
    if (refusalReasons.length > 0) return refusalReasons.map((reason) => this.#problem('refused', name, reason));
    return this.#taken(parsed);
  }

  #taken(parsed: ParsedLine): UserFileItem[] {
    const { name, secret, enabled, expires, passwordExpires, notes = [] } = parsed;
    const problems = notes.map((reason) => this.#problem('note', name, reason));
    const fault = this.#secretFault(parsed);
    if (fault !== undefined) problems.push(fault);
    const user: UserRecord = {
      name,
      secrets: secret === undefined || fault?.effect === 'note' ? [] : [secret],
      ...(enabled === false && { enabled }),
      ...(expires !== undefined && { expires: new Date(expires) }),
      ...(passwordExpires !== undefined && passwordExpires <= this.#now && { mustChangePassword: true }),
    };
    const changes = passwordExpires === undefined ? {} : { passwordExpires: new Date(passwordExpires) };
    return [{ kind: 'user', line: this.#line, user, ...changes }, ...problems];
  }

  /** Returns the problem of a secret that no password can equal, or that cannot be compared. */
  #secretFault({ name, secret, noPassword = NO_PASSWORD }: ParsedLine): UserFileProblem | undefined {
    try {
      const parsed = secret === undefined ? undefined : parseSecret(secret, this.#options);
      if (parsed !== undefined && parsed.kind !== 'none') return undefined;
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      const problem = this.#problem('unusable', name, `has an unusable password: ${error.message}`);
      return { ...problem, code: error.code };
    }
    return this.#problem('note', name, noPassword);
  }

  #problem(effect: UserFileEffect, name: string | undefined, reason: string): UserFileProblem {
    return { kind: 'problem', line: this.#line, ...(name !== undefined && { name }), reason, effect };
  }
}

/** Returns true for a name that is rather a secret: a line that lost its name, or its beginning. */
function looksLikeSecret(name: string): boolean {
  return /^(\$\w+\$|\{[\w.-]+\})/.test(name);
}

function nameFault(name: string): string {
  if (name.trim() === '') return 'has no name; expected NAME before the first ":"';
  if (name.trim() !== name) return 'has a blank beside its name; expected NAME right before the ":"';
  if (Buffer.byteLength(name) > MAX_NAME_OCTETS) return `has a name of more than ${MAX_NAME_OCTETS} octets`;
  return 'has a name with characters that no name may have (SASLprep, RFC 4013)';
}

const NO_PASSWORD = 'has no password: the field is empty or locked';
