/** What the operator wrote, in quotes, for an error: without a password that may stand in it, since errors end up in logs. */
export function redactSpec(given: string): string {
  return JSON.stringify(given.replace(/^(memory:[^:]*:).*$/s, '$1…').replace(/(:\/*)[^/]*@/, '$1…@'));
}
