/** Returns the UTF-8 text of octets that a line holds as latin1. */
export function utf8Of(latin1: string): string {
  return ASCII.test(latin1) ? latin1 : Buffer.from(latin1, 'latin1').toString('utf8');
}

const ASCII = /^[\x00-\x7f]*$/;
