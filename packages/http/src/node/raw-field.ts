import type { IncomingMessage } from 'node:http';

/**
 * Returns the value of a request field by its name in lower case, and all values if the request has
 * several lines of it. Returns undefined without the field. `headers` of `node:http` shows only the
 * first line of Authorization, and costs more: it is an object of all fields.
 */
export function rawField(
  { rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>,
  name: string,
): string | readonly string[] | undefined {
  let first: string | undefined;
  let all: string[] | undefined;
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index] as string;
    if (candidate.length !== name.length || candidate.toLowerCase() !== name) continue;
    const value = rawHeaders[index + 1] as string;
    if (first === undefined) first = value;
    else all = [...(all ?? [first]), value];
  }
  return all ?? first;
}
