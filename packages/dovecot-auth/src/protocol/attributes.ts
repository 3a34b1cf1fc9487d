import { escapeField } from './escape.ts';

/** Returns the attributes as fields. One that would change the meaning of OK is left out. */
export function formatAttributes(attributes: ReadonlyMap<string, string>): string {
  let fields = '';
  for (const [name, value] of attributes) {
    if (ATTRIBUTE.test(name) && name !== 'user' && name !== 'resp') fields += `\t${name}=${escapeField(value)}`;
  }
  return fields;
}

const ATTRIBUTE = /^[\w.:-]+$/;
