// The server of `npm run oracle`: one user has a clear-text password, one a stored SCRAM secret.
import { type Checker, UnauthorizedLogin } from '@postern/cred';
import { type ScramCredentials, ScramSecret, ScramSha256Credentials } from '@postern/sasl';
import { defineConfig } from 'postern';

const secret = await ScramSecret.derive('right', { hash: 'sha256' });

const stored: Checker<ScramCredentials> = {
  credentialInterfaces: [ScramSha256Credentials],
  async requestAvatarId(credentials) {
    const known = credentials.username === 'stored' ? secret : undefined;
    if (known === undefined || !(await credentials.verify(known))) throw new UnauthorizedLogin();
    return 'stored';
  },
};

export default defineConfig({
  listen: ['smtp://127.0.0.1:0'],
  auth: ['memory:clear:right', stored],
  deliver: 'discard',
  log: 'silent',
  throttle: false,
  // Shorter floors leave the same mechanism to be looked at, many times faster.
  limits: { minFailureDelay: 25, maxLoginFailures: 1e9, undelayedLoginFailures: 1e9, maxErrors: 1e9 },
  sasl: { scram: { key: Buffer.alloc(32, 7) } },
});
