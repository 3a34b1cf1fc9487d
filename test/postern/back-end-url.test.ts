import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseBackEnd } from '../../packages/postern/src/back-end-url.ts';
import { UsageError } from '../../packages/postern/src/errors.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const LOGIN = 'masterUser=postern&password=env:BACK_END_PASSWORD';

describe('the URL of a back end', () => {
  it.each([
    [
      `imap://127.0.0.1:143?${LOGIN}`,
      { service: 'imap', endpoint: { scheme: 'imap', host: '127.0.0.1', port: 143 }, tls: 'none' },
    ],
    [
      `imap://mail.example.com:143?${LOGIN}`,
      { service: 'imap', endpoint: { scheme: 'imap', host: 'mail.example.com', port: 143 }, tls: 'required' },
    ],
    [
      `imap://mail.example.com:143?${LOGIN}&tls=offered&masterSeparator=*`,
      {
        service: 'imap',
        endpoint: { scheme: 'imap', host: 'mail.example.com', port: 143 },
        tls: 'offered',
        masterSeparator: '*',
      },
    ],
    [
      `imaps://[2001:db8::1]:993?${LOGIN}`,
      { service: 'imap', endpoint: { scheme: 'imaps', host: '2001:db8::1', port: 993 }, tls: 'implicit' },
    ],
    [`imap+unix:/run/imap?${LOGIN}`, { service: 'imap', endpoint: { scheme: 'imap', path: '/run/imap' }, tls: 'none' }],
    [
      `sieve://127.0.0.1:4190?${LOGIN}&tls=required`,
      { service: 'sieve', endpoint: { scheme: 'sieve', host: '127.0.0.1', port: 4190 }, tls: 'required' },
    ],
  ])('is parsed: %s', (url, expected) => {
    setPassword();
    expect(parseBackEnd(url)).toEqual({ masterUser: 'postern', password: 's3cret', ...expected });
  });

  it('takes the password from the first line of a file', () => {
    using folder = temporaryFolder('back-end');
    const file = join(folder.path, 'password');
    writeFileSync(file, 's3cret\nmore\n');
    expect(parseBackEnd(`imap://127.0.0.1:143?masterUser=m&password=file:${file}`).password).toBe('s3cret');
  });

  it.each([
    ['imap://127.0.0.1:143', '?masterUser=NAME&password=file:PATH'],
    ['imap://127.0.0.1:143?masterUser=postern', '?masterUser=NAME&password=file:PATH'],
    ['imap://127.0.0.1:143?password=env:X', '?masterUser=NAME&password=file:PATH'],
    ['imap://127.0.0.1:143?masterUser=postern&password=s3cret', 'password=file:PATH or password=env:NAME'],
    ['imap://127.0.0.1:143?masterUser=postern&password=env:MISSING_VARIABLE', 'env:MISSING_VARIABLE: expected'],
    [`imap://127.0.0.1:143?${LOGIN}&tls=yes`, 'tls=required|offered|none'],
    [`imaps://127.0.0.1:993?${LOGIN}&tls=none`, 'no tls= with imaps://'],
    [`imap://127.0.0.1:143?${LOGIN}&masterUsr=x`, 'not "masterUsr"; did you mean "masterUser"?'],
    [`imap://127.0.0.1:143?${LOGIN}&${LOGIN}`, 'masterUser= once'],
    ['imap://127.0.0.1', 'imap://HOST:PORT'],
    ['imaps+unix:/run/imap', 'imap+unix:PATH'],
    ['iamp://127.0.0.1:143', 'did you mean "imap"?'],
    ['pop3://127.0.0.1:110', 'imap://HOST:PORT'],
  ])('is refused with the expected form: %s', (url, expected) => {
    setPassword();
    const refusal = () => parseBackEnd(url);
    expect(refusal).toThrow(UsageError);
    expect(refusal).toThrow(expected);
    expect(refusal).not.toThrow('s3cret');
  });
});

function setPassword(): void {
  process.env['BACK_END_PASSWORD'] = 's3cret';
  onTestFinished(() => void Reflect.deleteProperty(process.env, 'BACK_END_PASSWORD'));
}
