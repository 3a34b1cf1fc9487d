import { ListenError, type Server, serve } from '@postern/node';
import type { Container } from 'inversify';
import { conversationModule } from './conversation-module.ts';
import { credModule } from './cred-module.ts';
import { esmtpModule } from './esmtp-module.ts';
import { identifiers } from './identifiers.ts';
import { Misconfiguration } from './misconfiguration.ts';
import { nodeModule } from './node-module.ts';
import { saslModule } from './sasl-module.ts';

/**
 * Composes and starts the server that is bound in the container. Each container starts one server.
 *
 * @example
 * ```ts
 * import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
 * import {
 *   bindChecker,
 *   bindListener,
 *   identifiers,
 *   maildirModule,
 *   start,
 *   submissionModules,
 * } from '@postern/inversify';
 * import { Container } from 'inversify';
 *
 * const container = new Container();
 * container.load(...submissionModules, maildirModule);
 * container.bind(identifiers.Hostname).toConstantValue('mail.example');
 * container.bind(identifiers.MaildirFolder).toConstantValue('/var/mail/postern');
 * const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'secret' });
 * bindChecker(container, 'users').toConstantValue(users);
 * bindListener(container, 'submission').toConstantValue({
 *   endpoint: { host: '127.0.0.1', port: 0 },
 * });
 * await using server = await start(container);
 * ```
 *
 * @throws Misconfiguration that names the bindings with problems; the error of Inversify for a
 * missing binding.
 */
export async function start(container: Pick<Container, 'getAsync'>): Promise<Server> {
  const options = await container.getAsync(identifiers.ServeOptions);
  try {
    return await serve(options);
  } catch (error) {
    if (!(error instanceof ListenError)) throw error;
    throw new Misconfiguration([`listener ${error.listener}: ${error.message}`], { cause: error });
  }
}

/**
 * The modules of a submission server: `container.load(...submissionModules)`. The application binds
 * the delivery.
 */
export const submissionModules = [credModule, saslModule, conversationModule, esmtpModule, nodeModule] as const;
