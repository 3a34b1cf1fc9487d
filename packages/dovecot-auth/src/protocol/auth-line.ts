import { unescapeField } from './escape.ts';

/**
 * The line `AUTH <id> <mechanism> <parameters> [resp=<base64>]`. Parameters are read on demand: few
 * logins need them.
 */
export class AuthLine {
  readonly id: number;
  /** The mechanism as the client wrote it. */
  readonly mechanism: string;
  /** The text behind `resp=`; undefined if the parameter is absent. */
  readonly response: string | undefined;
  /** The parameters, each behind a TAB, without `resp`. */
  readonly #parameters: string;

  constructor(id: number, mechanism: string, parameters: string, response: string | undefined) {
    this.id = id;
    this.mechanism = mechanism;
    this.#parameters = parameters;
    this.response = response;
  }

  /** Returns the value of a parameter; undefined if it is absent. The first of two counts. */
  valueOf(name: string): string | undefined {
    const parameters = this.#parameters;
    const start = parameters.indexOf(`\t${name}=`);
    if (start < 0) return undefined;
    const from = start + name.length + 2;
    const end = parameters.indexOf('\t', from);
    return unescapeField(end < 0 ? parameters.slice(from) : parameters.slice(from, end));
  }

  /** Returns true if the parameter without a value is there. */
  has(name: string): boolean {
    const parameters = this.#parameters;
    return parameters.includes(`\t${name}\t`) || parameters.endsWith(`\t${name}`);
  }
}

/** Returns the parts of an AUTH line; undefined if it has no valid id or no mechanism. */
export function parseAuthLine(line: string): AuthLine | undefined {
  const idEnd = line.indexOf('\t', AUTH_LENGTH);
  if (idEnd < 0) return undefined;
  const id = parseId(line.slice(AUTH_LENGTH, idEnd));
  if (id === undefined) return undefined;
  const mechanismEnd = line.indexOf('\t', idEnd + 1);
  if (mechanismEnd < 0) {
    return idEnd + 1 === line.length ? undefined : new AuthLine(id, line.slice(idEnd + 1), '', undefined);
  }
  if (mechanismEnd === idEnd + 1) return undefined;
  const mechanism = line.slice(idEnd + 1, mechanismEnd);
  // The response is the last parameter: text behind it belongs to it, and is no base64.
  const response = line.indexOf('\tresp=', mechanismEnd);
  if (response < 0) return new AuthLine(id, mechanism, line.slice(mechanismEnd), undefined);
  return new AuthLine(id, mechanism, line.slice(mechanismEnd, response), line.slice(response + RESP_LENGTH));
}

/** Returns the number of a request: 1 to 2^32 - 1. Undefined for any other text. */
export function parseId(text: string): number | undefined {
  if (!ID.test(text)) return undefined;
  const id = Number(text);
  return id <= MAX_ID ? id : undefined;
}

const AUTH_LENGTH = 'AUTH\t'.length;
const RESP_LENGTH = '\tresp='.length;
const ID = /^[1-9]\d{0,9}$/;
const MAX_ID = 2 ** 32 - 1;
