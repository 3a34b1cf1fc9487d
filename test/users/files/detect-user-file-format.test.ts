import { detectUserFileFormat, parseUserFile } from '@postern/users';
import { expect, test } from 'vitest';

test.each([
  ['htpasswd', 'joe:$2y$05$abc\n'],
  ['htpasswd', '# users\n\njoe:$apr1$abc\nann:{SHA}abc=\n'],
  ['htpasswd', 'joe:$2y$05$abc:a comment\n'],
  ['htpasswd', '\uFEFFjoe:$2y$05$abc\r\n'],
  ['htpasswd', 'joe:*0\n'],
  ['passwd-file', 'joe:{PLAIN}x\n'],
  ['passwd-file', 'joe:$6$abc\nann:{SHA512-CRYPT}$6$abc\n'],
  ['passwd-file', 'joe:{SSHA512}abc\n'],
  ['passwd-file', 'joe:{BLF-CRYPT}$2y$05$abc:1000:1000::/home/joe\n'],
  ['passwd-file', 'joe:$6$abc::::::\n'],
  ['passwd-file', 'joe:$6$abc:1000\n'],
  ['passwd-file', 'joe:$6$abc::::::allow_nets=::1\n'],
  ['passwd-file', 'root:x:0:0:root:/root:/bin/bash\n'],
  ['shadow', 'root:*:20228:0:99999:7:::\njoe:$y$j9T$abc:20228:0:99999:7:::\n'],
  ['shadow', 'joe:$6$abc:::::::\n'],
  ['shadow', 'joe:!:20228:-1:99999:7::20300:\n'],
])('%s: %j', (format, text) => {
  expect(detectUserFileFormat(text)).toBe(format);
});

test.each([
  ['an empty file', ''],
  ['comments', '# joe:x\n\n'],
  ['lines without a colon', 'hello\nworld\n'],
  ['shadow lines beside others', 'joe:$6$abc:20228:0:99999:7:::\nann:$6$abc\n'],
])('%s shows no format', (_, text) => {
  expect(detectUserFileFormat(text)).toBeUndefined();
});

test('the beginning of a file is enough, and a large file costs no more', () => {
  const text = `joe:{PLAIN}x\n${'ann:$6$abc\n'.repeat(1_000)}root:*:20228:0:99999:7:::\n`;
  expect(detectUserFileFormat(text)).toBe('passwd-file');
});

test('both formats read an ambiguous line alike', () => {
  const text = 'joe:$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc8\n';
  expect(parseUserFile(text, { format: 'passwd-file' })).toEqual(parseUserFile(text, { format: 'htpasswd' }));
});
