import { TimedOut } from '@postern/conversation';
import { printable } from './printable.ts';

/**
 * Says why a login failed: the message of each error down to its first cause, and what may help. Lines
 * after the first are indented, so that a server cannot forge one of ours. The text has no character
 * that a terminal obeys.
 */
export function explainLoginFailure(error: unknown): string {
  const chain = causesOf(error);
  const sentences = chain.map((one) => HINTS.get(codeOf(one)) ?? (one instanceof Error ? one.message : String(one)));
  const said = sentences.filter((sentence, at) => sentence !== '' && sentences.indexOf(sentence) === at);
  if (chain.some((one) => one instanceof TimedOut)) said.push(SILENCE);
  const lines = said.join(': ').split('\n');
  return lines.map(printable).join('\n  ');
}

function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (let at = error; at !== undefined && !causes.includes(at); at = at instanceof Error ? at.cause : undefined) {
    causes.push(at);
  }
  // A conversation's error repeats what the system said.
  return causes.filter((one, at) => messageOf(one) !== messageOf(causes[at + 1]));
}

function messageOf(error: unknown): string | undefined {
  return error instanceof Error ? error.message : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

const SILENCE = 'a server that says nothing may want TLS from the first byte, smtps://';
const UNKNOWN_AUTHORITY = 'no authority known here vouches for the server: --ca FILE names one';

/** For what OpenSSL and Node say in words of their own. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ...[
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'UNABLE_TO_GET_ISSUER_CERT',
    'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
    'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  ].map((code) => [code, UNKNOWN_AUTHORITY] as const),
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'the server does not begin with TLS: smtp:// asks it for STARTTLS'],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', 'the server does not begin with TLS: smtp:// asks it for STARTTLS'],
]);
