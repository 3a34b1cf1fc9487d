import { randomBytes } from 'node:crypto';
import { libcrypt } from '@postern/crypt';
import { ScramSecret } from '@postern/sasl';
import { HashQueue, hashPassword } from '@postern/users';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dovecot } from '../support/password-tools/dovecot.ts';
import { openldap } from '../support/password-tools/openldap.ts';
import type { OpenPasswordTool, PasswordTool } from '../support/password-tools/password-tool.ts';
import { PASSWORD_TOOLS } from '../support/password-tools/password-tools.ts';
import { postgresql } from '../support/password-tools/postgresql.ts';
import { argon2Cffi, passlib } from '../support/password-tools/python.ts';
import { outcomeOf } from '../users/corpus/outcome.ts';
import { verify } from '../users/corpus/verify.ts';

const queue = new HashQueue();
const options = { crypt: libcrypt(), allowWeak: true };
afterAll(() => queue.close());

for (const tool of PASSWORD_TOOLS) {
  describe.skipIf(tool.skips())(`a secret by ${tool.name}`, () => {
    const opened = openedFor(tool);

    const forms = tool.forms.filter((form) => !form.costly && outcomeOf(tool.name, tool.command(form)) === 'verified');
    for (const form of forms) {
      it(`is for its password, and no other: ${tool.command(form)}`, async () => {
        const password = randomPassword();
        const text = await opened().write(form, password);
        expect(await verify(text, password, queue, options), `${password}: ${text}`).toBe(true);
        expect(await verify(text, `other ${password}`, queue, options), `${password}: ${text}`).toBe(false);
      });
    }
  });
}

describe('a secret by hashPassword', () => {
  const password = randomPassword();
  let argon2id: string;
  let scram: string;
  beforeAll(async () => {
    const secrets = await hashPassword(password, { queue });
    [argon2id = '', scram = ''] = secrets;
    expect(secrets).toHaveLength(2);
  });

  /** How each program spells a hash of argon2id. */
  const spellings: readonly [PasswordTool, string, (hash: string) => string][] = [
    [dovecot, 'ARGON2ID', (hash) => `{ARGON2ID}${hash}`],
    [openldap, '{ARGON2}', (hash) => `{ARGON2}${hash}`],
    [passlib, 'argon2', (hash) => hash],
    [argon2Cffi, 'ID', (hash) => hash],
    [dovecot, 'SCRAM-SHA-256', () => ScramSecret.parse(scram)?.format('dovecot') ?? ''],
    [postgresql, 'scram-sha-256', () => scram],
  ];
  for (const [tool, scheme, spell] of spellings) {
    describe.skipIf(tool.skips())(`as ${scheme}`, () => {
      const opened = openedFor(tool);

      it(`is for its password, and no other, in ${tool.name}`, async () => {
        const form = { scheme, options: [] };
        const text = spell(argon2id);
        expect(await opened().judge(form, text, password), text).toEqual({ accepted: true });
        expect(await opened().judge(form, text, `other ${password}`), text).toEqual({ accepted: false });
      });
    });
  }
});

/** Opens the tool for the tests of a suite. */
function openedFor(tool: PasswordTool): () => OpenPasswordTool {
  let open: OpenPasswordTool | undefined;
  beforeAll(async () => {
    open = await tool.open();
  });
  afterAll(() => open?.[Symbol.asyncDispose]());
  return () => {
    if (open === undefined) throw new Error(`${tool.name} is not open`);
    return open;
  };
}

/** Returns a password that SASLprep leaves as it is, of up to 72 octets, with non-ASCII letters. */
function randomPassword(): string {
  return `p ${randomBytes(12).toString('base64')} \u00fc\u4e2d`;
}
