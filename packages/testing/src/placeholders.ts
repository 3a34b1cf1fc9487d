/** The value of a placeholder `{name}`, or a function of the texts captured so far. */
export type Value = string | ((captured: ReadonlyMap<string, string>) => string | Promise<string>);

/** The placeholders of a dialogue: given values, and texts captured from lines of the server. */
export class Placeholders {
  readonly #values: ReadonlyMap<string, Value>;
  readonly #captured = new Map<string, string>();

  constructor(values: Readonly<Record<string, Value>> = {}) {
    this.#values = new Map(Object.entries(values));
  }

  /**
   * Resolves with the bytes of a client's line. `\r`, `\n`, `\t`, `\0`, `\xHH` and `\{` are
   * escapes. `{base64:text}` is the text in base64, `{repeat:12:text}` is the text 12 times, and
   * `{name}` is a value.
   *
   * @throws SyntaxError for a name without a value.
   */
  async bytes(text: string): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (const { literal, placeholder } of tokens(text)) {
      parts.push(literal ?? Buffer.from(await this.#resolve(placeholder)));
    }
    return Buffer.concat(parts);
  }

  /**
   * Resolves with true if the server's line matches the script. `<any>` matches any text, and
   * `{/regular expression/}` matches as such. `{name}` matches its value; a new name captures a
   * text.
   */
  async matches(expected: string, line: string): Promise<boolean> {
    const capturing: string[] = [];
    let pattern = '';
    for (const { literal, placeholder } of tokens(expected)) {
      if (literal !== undefined) pattern += literal.toString().split('<any>').map(literally).join('.*');
      else if (placeholder.startsWith('/')) pattern += `(?:${placeholder.slice(1, -1)})`;
      else if (this.#isNew(placeholder)) {
        pattern += '(.*)';
        capturing.push(placeholder);
      } else pattern += literally(await this.#resolve(placeholder));
    }
    const found = new RegExp(`^${pattern}$`, 'su').exec(line);
    for (const [index, name] of capturing.entries()) {
      if (found !== null) this.#captured.set(name, found[index + 1] ?? '');
    }
    return found !== null;
  }

  #isNew(placeholder: string): boolean {
    return /^[a-zA-Z]\w*$/.test(placeholder) && !this.#values.has(placeholder) && !this.#captured.has(placeholder);
  }

  async #resolve(placeholder: string): Promise<string> {
    const [, kind, rest = ''] = /^(base64|repeat):(.*)$/s.exec(placeholder) ?? [];
    if (kind === 'base64') return (await this.bytes(rest)).toString('base64');
    if (kind === 'repeat') {
      const [, times, text = ''] = /^(\d+):(.*)$/s.exec(rest) ?? [];
      return (await this.bytes(text)).toString().repeat(Number(times));
    }
    const value = this.#values.get(placeholder) ?? this.#captured.get(placeholder);
    if (value === undefined) throw new SyntaxError(`the placeholder {${placeholder}} has no value`);
    return typeof value === 'string' ? value : await value(this.#captured);
  }
}

type Token =
  | { readonly literal: Buffer; readonly placeholder?: never }
  | { readonly literal?: never; readonly placeholder: string };

/** Only a regular expression may contain braces. */
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
