import * as v from 'valibot';
import { suggestion } from './suggest.ts';

/**
 * Returns a schema for an object that has no other properties. Its messages name the known ones.
 */
export function strict<const E extends v.ObjectEntries>(entries: E) {
  const names = Object.keys(entries);
  return v.pipe(
    v.strictObject(entries, (issue) => {
      const key = issue.path?.at(-1)?.key;
      const name = typeof key === 'string' ? key : '';
      if (issue.expected === 'never') {
        return `unknown property; expected ${names.join(', ')}${suggestion(name, names)}`;
      }
      const missing = issue.expected === `"${name}"` ? entries[name] : undefined;
      if (missing !== undefined && 'message' in missing && typeof missing.message === 'string') {
        return `missing; ${missing.message}`;
      }
      return `expected an object with ${names.join(', ')}`;
    }),
    v.readonly(),
  );
}

/**
 * Returns a schema for an interface of another package, whose comments the editor shows. The
 * compiler requires an entry for each property. Every property is optional.
 */
export function objectOf<T extends object>(
  entries: {
    readonly [K in keyof T]-?: v.GenericSchema<unknown, NonNullable<T[K]>> | v.GenericSchema<NonNullable<T[K]>>;
  },
): v.GenericSchema<T> {
  const optional = Object.entries<v.GenericSchema>(entries).map(([name, schema]) => [name, option(schema)] as const);
  return strict(Object.fromEntries(optional)) as unknown as v.GenericSchema<T>;
}

/** Makes a property optional. A file may also set it to undefined, which the type leaves out. */
export function option<const S extends v.GenericSchema>(schema: S): v.ExactOptionalSchema<S, undefined> {
  return v.optional(schema) as unknown as v.ExactOptionalSchema<S, undefined>;
}

/** Returns a schema for an array. */
export function listOf<const S extends v.GenericSchema>(item: S, expected: string) {
  return v.pipe(v.array(item, `expected ${expected}`), v.readonly());
}

/** Returns a schema for one of the words. */
export function wordOf<const W extends string>(words: readonly W[]) {
  return v.picklist(words, `expected ${words.join(' or ')}`);
}

/** Returns a schema for a string. */
export function stringFor(expected: string) {
  return v.string(`expected ${expected}`);
}

/** Returns a schema for a type that the compiler knows and a condition recognizes. */
export function predicate<T>(isValid: (value: unknown) => boolean, expected: string) {
  return v.custom<T>(isValid, `expected ${expected}`);
}

/** Returns a schema for any of the alternatives. */
export function anyOf<const S extends v.UnionOptions>(alternatives: S, expected: string) {
  return v.union(alternatives, `expected ${expected}`);
}

/** Returns true for an object, also an array or a Map, and false for a function. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/**
 * Returns where and how a value differs from the schema, such as
 * `tls.key: missing; expected the path of a PEM file`. The text holds names of properties and no
 * values, which may be secret.
 */
export function describeIssues(issues: readonly v.BaseIssue<unknown>[]): string {
  // A misspelt name explains more than the name that is missing for it.
  const issue = issues.find(({ expected }) => expected === 'never') ?? issues[0];
  return `${pathOf(issue).replace(/^\./, '')}: ${innermost(issue)?.message}`;
}

function pathOf(issue: v.BaseIssue<unknown> | undefined): string {
  const path = (issue?.path ?? []).map(({ key }) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`));
  const inner = innerIssue(issue);
  return `${path.join('')}${inner === undefined ? '' : pathOf(inner)}`;
}

function innermost(issue: v.BaseIssue<unknown> | undefined): v.BaseIssue<unknown> | undefined {
  const inner = innerIssue(issue);
  return inner === undefined ? issue : innermost(inner);
}

/**
 * Where an alternative of a union fails at a part of the value, the value was meant for that
 * alternative.
 */
function innerIssue(issue: v.BaseIssue<unknown> | undefined): v.BaseIssue<unknown> | undefined {
  const inside = issue?.issues?.filter(({ path }) => path !== undefined) ?? [];
  return inside.find(({ expected }) => expected === 'never') ?? inside[0];
}
