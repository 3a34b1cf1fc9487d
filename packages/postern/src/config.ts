import type { Config } from './config-schema.ts';

export type { Config, KeyFiles, OwnSendersLookup, TlsFiles } from './config-schema.ts';

/**
 * Returns the configuration. The function is there for its types, in `postern.config.ts`.
 *
 * @example
 * ```ts
 * import { defineConfig } from 'postern';
 *
 * export default defineConfig({
 *   listen: ['smtp://0.0.0.0:587?tls=required', 'smtps://0.0.0.0:465'],
 *   tls: { cert: 'fullchain.pem', key: 'privkey.pem' },
 *   auth: [`memory:joe:${process.env['JOE_PASSWORD']}`],
 *   deliver: 'maildir:/var/mail/postern',
 * });
 * ```
 */
export function defineConfig(config: Config): Config {
  return config;
}
