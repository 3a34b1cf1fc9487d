import { suggestion } from './suggest.ts';

/** What the parts of an object may be, by their names: a condition, or a shape of its own. Every part may be left out. */
export type Shape = ReadonlyMap<string, ((value: unknown) => boolean) | Shape>;

/** Makes a shape of an object, whose type can say that no name is missing. */
export function shapeOf(parts: Readonly<Record<string, ((value: unknown) => boolean) | Shape>>): Shape {
  return new Map(Object.entries(parts));
}

/** Where and how a value differs from what is expected. */
export interface Difference {
  /** The path of the part that differs, such as `.scram.iterations`; the empty string for the value itself. */
  readonly path: string;
  /** `; did you mean "…"?` for a name that is unknown and close to a known one; else the empty string. */
  readonly hint: string;
}

/** Returns the first difference between a value and a shape; undefined if there is none. */
export function difference(value: unknown, shape: Shape): Difference | undefined {
  if (!isObject(value)) return WHOLE;
  for (const [key, part] of Object.entries(value)) {
    const expected = shape.get(key);
    if (expected === undefined) return { path: `.${key}`, hint: suggestion(key, shape.keys()) };
    if (part === undefined) continue;
    const found = isPlain(expected) ? difference(part, expected) : expected(part) ? undefined : WHOLE;
    if (found !== undefined) return { path: `.${key}${found.path}`, hint: found.hint };
  }
  return undefined;
}

/** The difference of a value that as a whole is not what is expected. */
export const WHOLE: Difference = { path: '', hint: '' };

/** True for what may have properties; a function is not meant. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isPlain(expected: NonNullable<ReturnType<Shape['get']>>): expected is Shape {
  return expected instanceof Map;
}

/** A name among the object's that is none of those known, if there is one: what is misspelt would be left out without a word. */
export function unknownName(object: object, known: Readonly<Record<string, true>>): string | undefined {
  return Object.keys(object).find((name) => !Object.hasOwn(known, name));
}
