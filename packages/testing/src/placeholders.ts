/** What a placeholder `{name}` stands for; a function is told what the dialogue has caught so far. */
export type Value = string | ((caught: ReadonlyMap<string, string>) => string | Promise<string>);

/** Names and what they stand for, given at the beginning or caught from the server's lines on the way. */
export class Placeholders {
  readonly #values: ReadonlyMap<string, Value>;
  readonly #caught = new Map<string, string>();

  constructor(values: Readonly<Record<string, Value>> = {}) {
    this.#values = new Map(Object.entries(values));
  }

  /**
   * The bytes of a client's line: `\r`, `\n`, `\t`, `\0`, `\xHH` and `\{` are escapes, `{base64:text}` is the text in base64,
   * `{repeat:12:text}` the text so many times, `{name}` a value.
   */
  async bytes(text: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (const { literal, placeholder } of tokens(text)) {
      parts.push(literal ?? Buffer.from(await this.#resolve(placeholder)));
    }
    return Buffer.concat(parts);
  }

  /**
   * Whether the server's line is what the script says, in which `<any>` and `{/regular expression/}` stand for themselves and
   * `{name}` for a value or, the first time, for what it then catches.
   */
  async matches(expected: string, line: string): Promise<boolean> {
    const catching: string[] = [];
    let pattern = '';
    for (const { literal, placeholder } of tokens(expected)) {
      if (literal !== undefined) pattern += literal.toString().split('<any>').map(literally).join('.*');
      else if (placeholder.startsWith('/')) pattern += `(?:${placeholder.slice(1, -1)})`;
      else if (this.#isNew(placeholder)) {
        pattern += '(.*)';
        catching.push(placeholder);
      } else pattern += literally(await this.#resolve(placeholder));
    }
    const found = new RegExp(`^${pattern}$`, 'su').exec(line);
    for (const [index, name] of catching.entries()) {
      if (found !== null) this.#caught.set(name, found[index + 1] ?? '');
    }
    return found !== null;
  }

  #isNew(placeholder: string): boolean {
    return /^[a-zA-Z]\w*$/.test(placeholder) && !this.#values.has(placeholder) && !this.#caught.has(placeholder);
  }

  async #resolve(placeholder: string): Promise<string> {
    const [, kind, rest = ''] = /^(base64|repeat):(.*)$/s.exec(placeholder) ?? [];
    if (kind === 'base64') return (await this.bytes(rest)).toString('base64');
    if (kind === 'repeat') {
      const [, times, text = ''] = /^(\d+):(.*)$/s.exec(rest) ?? [];
      return (await this.bytes(text)).toString().repeat(Number(times));
    }
    const value = this.#values.get(placeholder) ?? this.#caught.get(placeholder);
    if (value === undefined) throw new SyntaxError(`nothing is known of {${placeholder}}`);
    return typeof value === 'string' ? value : await value(this.#caught);
  }
}

type Token =
  | { readonly literal: Buffer; readonly placeholder?: never }
  | { readonly literal?: never; readonly placeholder: string };

/** A regular expression may hold braces of its own; other placeholders hold none. */
function* tokens(text: string): Generator<Token> {
  for (const [token] of text.matchAll(/\{\/.*?\/\}|\{[^{}]*\}|\\x[0-9a-fA-F]{2}|\\.|[^\\{]+|./gs)) {
    if (token.length > 1 && token.startsWith('{')) yield { placeholder: token.slice(1, -1) };
    else if (token.length === 4 && token.startsWith('\\x')) yield { literal: Buffer.from(token.slice(2), 'hex') };
    else if (token.startsWith('\\')) yield { literal: Buffer.from(ESCAPES.get(token) ?? token.slice(-1)) };
    else yield { literal: Buffer.from(token) };
  }
}

function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}

const ESCAPES = new Map([
  ['\\r', '\r'],
  ['\\n', '\n'],
  ['\\t', '\t'],
  ['\\0', '\0'],
]);
