import { argon2Command } from './argon2-cli.ts';
import { mkpasswd, openssl, shadow } from './crypt.ts';
import { dovecot } from './dovecot.ts';
import { gsasl } from './gsasl.ts';
import { htpasswd } from './htpasswd.ts';
import { npm } from './npm.ts';
import { openldap } from './openldap.ts';
import type { PasswordTool } from './password-tool.ts';
import { postgresql } from './postgresql.ts';
import { argon2Cffi, passlib } from './python.ts';

/** The programs of the hash corpus, which have Debian packages. */
export const PASSWORD_TOOLS: readonly PasswordTool[] = [
  argon2Command,
  argon2Cffi,
  dovecot,
  gsasl,
  htpasswd,
  mkpasswd,
  openldap,
  openssl,
  passlib,
  postgresql,
  shadow,
];

/** The tools of {@link PASSWORD_TOOLS}, and npm's packages, which need the network. */
export const ALL_PASSWORD_TOOLS: readonly PasswordTool[] = [...PASSWORD_TOOLS, npm];
