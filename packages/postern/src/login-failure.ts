import { TimedOut } from '@postern/conversation';
import { printable } from '@postern/esmtp';

/**
 * Explains why a login failed: the messages of the error and its causes, and a hint. Lines after
 * the first are indented, so that a server cannot forge a line of the command. The text holds no
 * character that controls a terminal.
 */
export function explainLoginFailure(error: unknown): string {
  const chain = causesOf(error);
  const sentences = chain.map((cause) => HINTS.get(codeOf(cause)) ?? messageOf(cause) ?? String(cause));
  const distinct = sentences.filter((sentence, index) => sentence !== '' && sentences.indexOf(sentence) === index);
  if (chain.some((cause) => cause instanceof TimedOut)) distinct.push(SILENCE_HINT);
  const lines = distinct.join(': ').split('\n');
  return lines.map(printable).join('\n  ');
}

function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  let cause = error;
  while (cause !== undefined && !causes.includes(cause)) {
    causes.push(cause);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  // A conversation's error repeats the message of the system's error.
  return causes.filter((link, index) => messageOf(link) !== messageOf(causes[index + 1]));
}

function messageOf(error: unknown): string | undefined {
  return error instanceof Error ? error.message : undefined;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

const SILENCE_HINT = 'a server that says nothing may want TLS from the first byte, smtps://';
const UNKNOWN_AUTHORITY = 'no authority known here vouches for the server: --ca FILE names one';
const NO_TLS_FIRST = 'the server does not begin with TLS: smtp:// asks it for STARTTLS';

/** Plain sentences in place of the words of OpenSSL and Node. */
const HINTS: ReadonlyMap<string, string> = new Map([
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNKNOWN_AUTHORITY],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNKNOWN_AUTHORITY],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNKNOWN_AUTHORITY],
  ['ERR_SSL_WRONG_VERSION_NUMBER', NO_TLS_FIRST],
  ['ERR_SSL_PACKET_LENGTH_TOO_LONG', NO_TLS_FIRST],
]);
