/**
 * One step of a dialogue: a line of the client (`say`) or the server (`expect`), an action of the
 * client (`do`), or an event at the client (`happens`).
 */
export type Step = LineStep<'say'> | LineStep<'expect'> | WordStep<'do'> | WordStep<'happens'>;

/** A step with the text of a line. */
export interface LineStep<K> {
  readonly kind: K;
  /** The line of the script, counted from 1. */
  readonly line: number;
  readonly text: string;
}

/** A step with a word and its argument: `<advance 300s>`. */
export interface WordStep<K> {
  readonly kind: K;
  readonly line: number;
  readonly word: string;
  readonly argument: string;
}

/**
 * Returns the steps of a script. Its lines begin with `C:` or `S:`; comments (`#`) and empty lines
 * are skipped. One space after the colon is syntax, and all other spaces belong to the text.
 *
 * @throws SyntaxError for any other line, with its number.
 */
export function parseScript(script: string): readonly Step[] {
  return script.split(/\r?\n/).flatMap((source, index): Step[] => {
    const line = index + 1;
    if (/^\s*(#|$)/.test(source)) return [];
    const [, side, text = ''] = /^\s*([CS]):(?: (.*))?$/.exec(source) ?? [];
    if (side === undefined) throw new SyntaxError(`line ${line} of the script: expected C:, S: or #, got ${source}`);
    const [, word, argument = ''] = /^<([a-z-]+)(?: (.*))?>$/.exec(text) ?? [];
    if (word === undefined || (side === 'S' && word === 'any')) {
      return [{ kind: side === 'C' ? 'say' : 'expect', line, text }];
    }
    if (!(side === 'C' ? ACTIONS : EVENTS).has(word)) {
      throw new SyntaxError(`line ${line} of the script: unknown ${side}: <${word}>`);
    }
    return [{ kind: side === 'C' ? 'do' : 'happens', line, word, argument }];
  });
}

const ACTIONS = new Set(['advance', 'close', 'closing', 'end', 'raw', 'reset', 'starttls']);
const EVENTS = new Set(['closed', 'silence']);
