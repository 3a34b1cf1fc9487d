import { isAddressLiteral, isDomain } from '@postern/esmtp';
import type { ChannelBindingPolicy } from '@postern/sasl';
import { UsageError } from './errors.ts';
import { suggestion } from './suggest.ts';

/** One form of an option's value, such as `maildir:DIR`. */
export interface SpecForm<T> {
  /** The form as the operator writes it: `memory:USER:PASSWORD`. */
  readonly usage: string;
  /** A few words for the help. */
  readonly summary: string;
  /**
   * Parses the text after the scheme and its colon; `rest` is undefined without a colon.
   *
   * @throws UsageError
   */
  parse(rest: string | undefined): T;
}

/** The forms of an option's value by their schemes. A new form is one entry. */
export type SpecForms<T> = ReadonlyMap<string, SpecForm<T>>;

/**
 * Parses `SCHEME` or `SCHEME:REST` by the form of the scheme.
 *
 * @throws UsageError that lists the forms, and does not repeat the value, which may hold a
 * password.
 */
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

/**
 * Checks that a form which is only a word has no text after the word.
 *
 * @throws UsageError
 */
export function expectWord(word: string, rest: string | undefined): void {
  if (rest !== undefined) throw new UsageError(`expected ${word} and nothing after it`);
}

/**
 * Checks the property names of an object that the operator wrote: a misspelt option would have no
 * effect.
 *
 * @param subject The name of the object, for the error: `relay`.
 * @throws UsageError that lists the known names and suggests the nearest one.
 */
export function expectKnownNames(subject: string, object: object, known: Readonly<Record<string, true>>): void {
  const unknown = Object.keys(object).find((name) => !Object.hasOwn(known, name));
  if (unknown === undefined) return;
  const names = Object.keys(known);
  throw new UsageError(
    `${subject}: expected ${names.join(', ')}, not ${JSON.stringify(unknown)}${suggestion(unknown, names)}`,
  );
}

/** Splits a list at commas and white space. */
export function splitList(list: string): readonly string[] {
  return list.split(/[\s,]+/).filter((word) => word !== '');
}

/**
 * Returns true for a name that a greeting and EHLO can say: an ASCII domain, or an address literal.
 */
export function isHostname(name: string): boolean {
  return isAddressLiteral(name) || (isDomain(name) && /^[!-~]+$/.test(name));
}

/** The words of `sasl.channelBinding` and `--channel-binding`. */
export const CHANNEL_BINDING_POLICIES: readonly ChannelBindingPolicy[] = ['off', 'offered', 'required'];
