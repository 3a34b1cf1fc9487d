/** A command of the not authenticated state (RFC 9051 §6.1, §6.2; RFC 2971). */
export type Verb = (typeof VERBS)[number];

/** A line that begins a command. */
export interface Command {
  readonly tag: string;
  /** The command's name in upper case, known or not. */
  readonly name: string;
  /** The text behind the name and one space; undefined without a space. */
  readonly argument: string | undefined;
}

/**
 * Returns the parts of a command line (RFC 9051 §9, `command`). Returns the tag alone if no command
 * follows it, and undefined if the line does not begin with a tag and a space.
 */
export function parseCommand(line: string): Command | { readonly tag: string } | undefined {
  const [, tag, rest = ''] = TAGGED.exec(line) ?? [];
  if (tag === undefined) return undefined;
  const [, name, argument] = NAMED.exec(rest) ?? [];
  return name === undefined ? { tag } : { tag, name: name.toUpperCase(), argument };
}

/** Returns the verb of a name; undefined for the name of no command of this state. */
export function verbOf(name: string): Verb | undefined {
  return VERBS.find((verb) => verb === name);
}

const VERBS = ['CAPABILITY', 'NOOP', 'LOGOUT', 'ID', 'STARTTLS', 'AUTHENTICATE', 'LOGIN'] as const;
/** RFC 9051 §9: 1*<any ASTRING-CHAR except "+">. Bounded, since the reply repeats it. */
const TAGGED = /^([!#$&',\-./0-9:;<=>?@A-Z[\]^_`a-z|}~]{1,64}) (.*)$/s;
const NAMED = /^([A-Za-z]{1,32})(?: (.*))?$/s;
