import { expect, test } from 'vitest';
import { md5Crypt } from '../../../packages/users/src/hashing/md5-crypt.ts';
import { shaCrypt } from '../../../packages/users/src/hashing/sha-crypt.ts';

const LONG_TEXT = 'a very much longer text to encrypt.  This one even stretches over morethan one line.';
const SHORT_SALT = 'we have a short salt string but not a short password';

// "Unix crypt using SHA-256 and SHA-512", U. Drepper. Its salts of more than 16 characters and its
// rounds below 1,000 are missing: libxcrypt and we refuse them in a stored hash.
test.each([
  ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
  ['Hello world!', '$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA'],
  [LONG_TEXT, '$5$rounds=1400$anotherlongsalts$Rx.j8H.h8HjEDGomFU8bDkXm3XIUnzyxf12oP84Bnq1'],
  [SHORT_SALT, '$5$rounds=77777$short$JiO1O3ZpDAxGJeaDIuqCoEFysAe1mZNJRs3pw0KQRd/'],
  ['a short string', '$5$rounds=123456$asaltof16chars..$gP3VQ/6X7UUEW3HkBn2w1/Ptq2jxPyzV/cZKmF/wJvD'],
  [
    'Hello world!',
    '$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
  ],
  [
    'Hello world!',
    '$6$rounds=10000$saltstringsaltst$OW1/O6BYHV6BcXZu8QVeXbDWra3Oeqh0sbHbbMCVNSnCM/UrjmM0Dp8vOuZeHBy/YTBmSK6H9qs/y3RnOaw5v.',
  ],
  [
    LONG_TEXT,
    '$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1',
  ],
  [
    SHORT_SALT,
    '$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0',
  ],
  [
    'a short string',
    '$6$rounds=123456$asaltof16chars..$BtCwjqMJGx5hrJhZywWvt0RLE8uZ4oPwcelCjmw2kSYu.Ec6ycULevoBK25fs2xXgMNrCzIMVcgEJAstJeonj1',
  ],
])('SHA-crypt of %j', (password, hash) => {
  const octets = Buffer.from(password);
  expect(shaCrypt(octets, hash)).toBe(hash);
  expect(octets.toString()).toBe(password);
});

test('a setting may end after the salt', () => {
  const hash = '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5';
  for (const setting of ['$5$saltstring', '$5$saltstring$']) {
    expect(shaCrypt(Buffer.from('Hello world!'), setting)).toBe(hash);
  }
});

// The documentation of Apache's htpasswd, and `openssl passwd` of OpenSSL 3.0.
test.each([
  ['myPassword', '$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/'],
  ['secret', '$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/'],
  ['secret', '$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1'],
  ['secret', '$1$abc$iCQ2D3nhptRYi27fDYv2s1'],
])('MD5-crypt of %j: %s', (password, hash) => {
  expect(md5Crypt(Buffer.from(password), hash)).toBe(hash);
});

test.each([
  '$6$rounds=10$abc$',
  '$6$rounds=999$abc$',
  '$6$rounds=01000$abc$',
  '$6$rounds=1000000000$abc$',
  '$6$rounds=$abc$',
  '$6$rounds=5000',
  '$6$saltofmorethan16chars$',
  '$6$a:b$',
  '$6',
  '$1$abc$',
])('SHA-crypt refuses %s', (setting) => expect(() => shaCrypt(Buffer.from('secret'), setting)).toThrow(RangeError));

test.each(['$1$saltof9ch$', '$1', '$5$abc$', '$1$a\n$'])('MD5-crypt refuses %j', (setting) => {
  expect(() => md5Crypt(Buffer.from('secret'), setting)).toThrow(RangeError);
});
