/** The parts of a notification. Header fields are unfolded, by their names in lower case. */
export interface Parsed {
  readonly fields: ReadonlyMap<string, string>;
  readonly boundary: string;
  readonly parts: readonly { readonly fields: ReadonlyMap<string, string>; readonly body: string }[];
}

/** Reads a multipart/report. Throws for an invalid line, field or boundary. */
export function parseNotification(text: string): Parsed {
  if (/\r(?!\n)|(?<!\r)\n|\0/.test(text)) throw new Error('a stray CR, LF or NUL');
  const long = text.split('\r\n').find((line) => line.length > 998);
  if (long !== undefined) throw new Error(`a line of ${long.length} octets`);
  const [fields, body] = entity(text);
  const [, boundary = ''] = /^multipart\/report; report-type=delivery-status; boundary="(\w+)"$/.exec(
    fields.get('content-type') ?? '',
  ) as RegExpExecArray;
  const [preamble, ...rest] = `\r\n${body}`.split(`\r\n--${boundary}`);
  const epilogue = rest.pop();
  if (preamble !== '' || epilogue !== '--\r\n') throw new Error('the boundaries are not where they should be');
  const parts = rest.map((part) => {
    if (!part.startsWith('\r\n')) throw new Error('something behind a boundary');
    const [own, content] = entity(part.slice(2));
    return { fields: own, body: content };
  });
  if (text.split(boundary).length !== parts.length + 3) throw new Error('the boundary is somewhere else, too');
  return { fields, boundary, parts };
}

/** The groups of fields in a delivery-status part. */
export function statusGroups(body: string): readonly ReadonlyMap<string, string>[] {
  if (!body.endsWith('\r\n')) throw new Error('the last field does not end');
  return body.slice(0, -2).split('\r\n\r\n').map(fieldsOf);
}

function entity(text: string): [ReadonlyMap<string, string>, string] {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) throw new Error('no empty line behind the header');
  return [fieldsOf(text.slice(0, end)), text.slice(end + 4)];
}

function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of text.replaceAll(/\r\n(?=[ \t])/g, '').split('\r\n')) {
    const [, name, value = ''] = /^([\w-]+): (.*)$/s.exec(line) ?? [];
    if (name === undefined) throw new Error(`${JSON.stringify(line)} is no field`);
    if (fields.has(name.toLowerCase())) throw new Error(`${name} comes twice`);
    fields.set(name.toLowerCase(), value);
  }
  return fields;
}
