/** A parameter of MAIL or RCPT: `SIZE=1000`. */
export interface Parameter {
  /** In upper case. */
  readonly keyword: string;
  /** The text behind `=`, never empty; undefined without `=`. */
  readonly value: string | undefined;
}

/**
 * Parses the parameters behind a path. Returns undefined for invalid ones, and for a keyword that
 * occurs twice.
 */
export function parseParameters(rest: string): readonly Parameter[] | undefined {
  if (!rest.startsWith(' ')) return undefined;
  const parameters = new Map<string, Parameter>();
  for (const word of rest.split(' ')) {
    if (word === '') continue;
    const match = PARAMETER.exec(word);
    const keyword = match?.[1]?.toUpperCase();
    if (keyword === undefined || parameters.has(keyword)) return undefined;
    parameters.set(keyword, { keyword, value: match?.[2] });
  }
  return [...parameters.values()];
}

/** The parameters of a path without any: one object for all commands. */
export const NO_PARAMETERS: readonly Parameter[] = [];

/** RFC 5321 §4.1.2. */
const PARAMETER = /^([A-Za-z\d][A-Za-z\d-]*)(?:=([!-<>-~\u0080-\uffff]+))?$/;
