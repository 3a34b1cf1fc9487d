import { redactSecret } from './spec-secrets.ts';

/**
 * Returns an operator's value in quotes for an error, with its password replaced: errors end up in
 * logs.
 */
export function redactSpec(spec: string): string {
  const memory = /^(memory:[^:]*:)(.*)$/s.exec(spec);
  if (memory !== null) return JSON.stringify(`${memory[1]}${redactSecret(memory[2] ?? '')}`);
  const redacted = spec
    // A slash in a password, which should be percent-encoded, must not hide the rest of it.
    .replace(spec.startsWith('postgres') ? /(:\/*).*@/s : /(:\/*)[^/]*@/, '$1…@')
    .replace(
      /([?&](?:password|secret)=)([^&#]*)/gi,
      (_whole, name: string, secret: string) => name + redactSecret(secret),
    );
  return JSON.stringify(redacted);
}
