import { suggestion } from './suggest.ts';
import { UsageError } from './usage-error.ts';

/** One form that the value of an option may have: `maildir:DIR`. */
export interface SpecForm<T> {
  /** As it is written: `memory:USER:PASSWORD`. */
  readonly usage: string;
  /** What it does, in a few words for the help. */
  readonly summary: string;
  /** Makes something of what follows the scheme and its colon; undefined if there was no colon. Throws a UsageError. */
  parse(rest: string | undefined): T;
}

/** The forms by their schemes. Whoever adds a form adds an entry. */
export type SpecForms<T> = ReadonlyMap<string, SpecForm<T>>;

/** What the form makes of `SCHEME` or `SCHEME:REST`. Throws a UsageError, which does not repeat what may be a password. */
export function parseSpec<T>(forms: SpecForms<T>, spec: string): T {
  const colon = spec.indexOf(':');
  const scheme = colon < 0 ? spec : spec.slice(0, colon);
  const form = forms.get(scheme);
  if (form === undefined) {
    const usages = Array.from(forms.values(), ({ usage }) => usage).join(' or ');
    throw new UsageError(`expected ${usages}${suggestion(scheme, forms.keys())}`);
  }
  return form.parse(colon < 0 ? undefined : spec.slice(colon + 1));
}

/** For a form that is only a word. */
export function expectWord(word: string, rest: string | undefined): void {
  if (rest !== undefined) throw new UsageError(`expected ${word} and nothing after it`);
}
