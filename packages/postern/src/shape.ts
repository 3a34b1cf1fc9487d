/** What the parts of an object may be, by their names: a condition, or a shape of its own. Every part may be left out. */
export type Shape = ReadonlyMap<string, ((value: unknown) => boolean) | Shape>;

/** Makes a shape of an object, whose type can say that no name is missing. */
export function shapeOf(parts: Readonly<Record<string, ((value: unknown) => boolean) | Shape>>): Shape {
  return new Map(Object.entries(parts));
}

/** Where a value first differs from a shape: the path of the part, `.scram.iterations`, or nothing for the value itself; undefined if it does not. */
export function difference(value: unknown, shape: Shape): string | undefined {
  if (!isObject(value)) return '';
  for (const [key, part] of Object.entries(value)) {
    const expected = shape.get(key);
    if (expected !== undefined && part === undefined) continue;
    const path = isPlain(expected) ? difference(part, expected) : expected?.(part) ? undefined : '';
    if (path !== undefined) return `.${key}${path}`;
  }
  return undefined;
}

/** True for what may have properties; a function is not meant. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isPlain(expected: ReturnType<Shape['get']>): expected is Shape {
  return expected instanceof Map;
}

/** A name among the object's that is none of those known, if there is one: what is misspelt would be left out without a word. */
export function unknownName(object: object, known: Readonly<Record<string, true>>): string | undefined {
  return Object.keys(object).find((name) => !Object.hasOwn(known, name));
}
