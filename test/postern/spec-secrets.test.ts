import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { redactSpec } from '../../packages/postern/src/redact-spec.ts';
import { secretOf } from '../../packages/postern/src/spec-secrets.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a secret in a spec', () => {
  it('is the text, the value of a variable, or the first line of a file', () => {
    using folder = temporaryFolder('secret');
    const file = join(folder.path, 'secret');
    writeFileSync(file, 's3cret:1\r\nmore\n');
    expect(secretOf('s3cret')).toBe('s3cret');
    expect(secretOf('env:JOE', { JOE: 'env:s3cret' })).toBe('env:s3cret');
    expect(secretOf(`file:${file}`)).toBe('s3cret:1');
  });

  it('names the variable or the file that is missing', () => {
    using folder = temporaryFolder('secret');
    writeFileSync(join(folder.path, 'empty'), '\n');
    expect(() => secretOf('env:JOE', {})).toThrow('env:JOE: expected an environment variable with the secret');
    expect(() => secretOf('env:JOE', { JOE: '' })).toThrow('env:JOE: expected');
    expect(() => secretOf(`file:${folder.path}/none`)).toThrow('/none: expected a readable file');
    expect(() => secretOf(`file:${folder.path}/empty`)).toThrow('the first line, which is empty');
  });
});

describe('redactSpec', () => {
  it.each([
    ['memory:joe:s3cret', 'memory:joe:…'],
    ['memory:joe:env:JOE', 'memory:joe:env:JOE'],
    ['postgres://joe:s3cret@db/mail', 'postgres://…@db/mail'],
    ['postgres://joe:s3/cr?e#t@db/mail', 'postgres://…@db/mail'],
    ['postgres://joe@db/mail?password=s3cret&sslmode=require', 'postgres://…@db/mail?password=…&sslmode=require'],
    ['postgres://db/mail?password=file:/run/secrets/db', 'postgres://db/mail?password=file:/run/secrets/db'],
    ['smtp://127.0.0.1:25?tls=none', 'smtp://127.0.0.1:25?tls=none'],
  ])('writes %s as %s', (spec, redacted) => {
    expect(redactSpec(spec)).toBe(JSON.stringify(redacted));
  });
});
