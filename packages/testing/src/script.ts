/** One step of a dialogue: the client says something or does something, the server is to say something, or something is to happen. */
export type Step = Text<'say'> | Text<'expect'> | Deed<'do'> | Deed<'happens'>;

/** A step that is a text: a line that the client says, or one that the server is to say. */
export interface Text<K> {
  readonly kind: K;
  readonly line: number;
  readonly text: string;
}

/** A step that is no text: `<advance 300s>`, word and argument. */
export interface Deed<K> {
  readonly kind: K;
  readonly line: number;
  readonly word: string;
  readonly argument: string;
}

/**
 * The steps of a script: lines that begin with `C:` or `S:`, comments (`#`) and empty lines. One space after the colon belongs to
 * the form; all else, spaces at the end too, to the text.
 */
export function parseScript(script: string): readonly Step[] {
  return script.split(/\r?\n/).flatMap((source, index): Step[] => {
    const line = index + 1;
    if (/^\s*(#|$)/.test(source)) return [];
    const [, side, text = ''] = /^\s*([CS]):(?: (.*))?$/.exec(source) ?? [];
    if (side === undefined)
      throw new SyntaxError(`line ${line} of the script is neither C:, S: nor a comment: ${source}`);
    const [, word, argument = ''] = /^<([a-z-]+)(?: (.*))?>$/.exec(text) ?? [];
    if (word === undefined || (side === 'S' && word === 'any')) {
      return [{ kind: side === 'C' ? 'say' : 'expect', line, text }];
    }
    if (!(side === 'C' ? DEEDS : EVENTS).has(word)) {
      throw new SyntaxError(`line ${line} of the script: there is no ${side}: <${word}>`);
    }
    return [{ kind: side === 'C' ? 'do' : 'happens', line, word, argument }];
  });
}

const DEEDS = new Set(['advance', 'close', 'closing', 'end', 'raw', 'reset', 'starttls']);
const EVENTS = new Set(['closed', 'silence']);
