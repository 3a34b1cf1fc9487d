import { hostname } from 'node:os';
import { printable } from '@postern/esmtp';
import { connectSmtp, ehloName, type SmtpClient } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import {
  AuthenticationFailure,
  anonymousResponder,
  externalResponder,
  oauthBearerResponder,
  passwordResponders,
  type Responder,
  xoauth2Responder,
} from '@postern/sasl/client';
import { type CommandProcess, printerTo } from './command-process.ts';
import { UsageError } from './errors.ts';
import { explainLoginFailure } from './login-failure.ts';
import { type LoginOptions, parseLoginOptions } from './login-options.ts';
import { redactSpec } from './redact-spec.ts';
import { suggestion } from './suggest.ts';
import { Terminal } from './terminal.ts';

/**
 * Runs `postern login`: logs in to a server as a client, and prints the dialogue, with secrets
 * masked, and the outcome. Resolves to the exit code: 0 after a login, 1 if the server refused the
 * credentials, 2 for any other failure.
 *
 * @throws UsageError
 */
export async function runLogin(argv: readonly string[], process: CommandProcess): Promise<number> {
  const print = printerTo(process.stdout);
  const options = await parseLoginOptions(argv);
  const secret = await readSecret(process, `Password of ${options.user}: `);
  if (secret === undefined) {
    await print('not logged in: cancelled\n');
    return 2;
  }
  const responders = respondersFor(options, secret);
  const begin = performance.now();
  try {
    const client = await logIn(options, responders, process);
    const milliseconds = Math.round(performance.now() - begin);
    const outcome = outcomeOf(client, options, milliseconds);
    await client[Symbol.asyncDispose]();
    await print(outcome);
    return 0;
  } catch (error) {
    await print(`not logged in: ${explainLoginFailure(error)}\n`);
    return error instanceof AuthenticationFailure ? 1 : 2;
  }
}

async function logIn(
  { endpoint, ca, ehlo }: LoginOptions,
  responders: readonly Responder[],
  { stdout }: CommandProcess,
): Promise<SmtpClient> {
  const inTheClear = endpoint.parameters.get('tls') === 'none';
  const transport = await connect({
    endpoint,
    tlsPolicy: endpoint.scheme === 'smtps' ? 'implicit' : 'offered',
    ...(ca === undefined ? {} : { ca }),
  });
  return await connectSmtp(transport, {
    hostname: ehlo ?? ehloName(hostname(), transport.local),
    responders,
    readTimeout: 60_000,
    ...(inTheClear ? { startTls: 'none' as const } : {}),
    logDialogue: (speaker, line) => void stdout.write(`${speaker}: ${printable(line)}\n`),
  });
}

/**
 * Returns a responder for each mechanism that works with a password. A mechanism that takes a
 * token, a certificate or nothing must be named.
 */
function respondersFor({ endpoint, user, mechanism, authzid }: LoginOptions, secret: string): readonly Responder[] {
  const host = 'host' in endpoint ? endpoint.host : 'localhost';
  const service = mechanism === 'DIGEST-MD5' ? { digestUri: { service: 'smtp', host } } : {};
  const byPassword = passwordResponders({ username: user, password: secret, authzid, ...service });
  if (mechanism === undefined) return byPassword;
  const all = [
    ...byPassword,
    oauthBearerResponder({ authzid: authzid ?? user, token: secret }),
    xoauth2Responder({ username: user, token: secret }),
    externalResponder({ authzid }),
    anonymousResponder({ trace: user }),
  ];
  const named = all.filter((responder) => responder.mechanism === mechanism);
  if (named.length > 0) return named;
  if (mechanism === 'CRAM-MD5' || mechanism === 'LOGIN') {
    throw new UsageError(`--mechanism: expected one with an authorization identity (--authzid), not ${mechanism}`);
  }
  const known = all.map((responder) => responder.mechanism);
  throw new UsageError(
    `--mechanism: unknown mechanism ${redactSpec(mechanism)}: expected ${known.join(', ')}${suggestion(mechanism, known)}`,
  );
}

/**
 * Asks for a secret at the terminal, without echo; without a terminal reads the first line of the
 * standard input. Resolves to undefined if the operator cancels.
 */
async function readSecret(process: CommandProcess, prompt: string): Promise<string | undefined> {
  using terminal = new Terminal(process);
  const secret = await terminal.askSecret(prompt);
  return secret === undefined && !terminal.isInteractive ? '' : secret;
}

function outcomeOf(client: SmtpClient, { user }: LoginOptions, milliseconds: number): string {
  const { responder, channel } = client;
  const binding = responder?.channelBinding?.(channel);
  const { tls } = channel;
  const lines = [
    `logged in as ${printable(user)} with ${responder?.mechanism} in ${milliseconds} ms`,
    `channel binding: ${binding ?? 'none'}`,
    `TLS: ${tls === undefined ? 'none' : `${tls.version}, ${tls.cipher}`}`,
  ];
  return `${lines.join('\n')}\n`;
}
