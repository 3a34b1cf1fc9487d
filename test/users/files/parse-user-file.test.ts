import {
  parseUserFile,
  readUserFile,
  type UserFileFormat,
  type UserFileItem,
  type UserFileOptions,
  type UserFileProblem,
  type UserRecord,
} from '@postern/users';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCharacter } from '../../support/any-character.ts';
import { readCorpus } from '../corpus/corpus.ts';

const BCRYPT = '$2y$05$vCpR1lx6nIu3cYJSNbZfguqOSgmN.sZ0hDTYkvTp0vvPEfUfBCo1K';
const SHA512 = '$6$abcdefgh$Z7KfoKnKTSZrzo5VZ0YubGLQOj9ov6sHo9TmE3zIU/LHKhpE30zCnZ0mcIXYf9r9rQ4DYaXoxAFSPFlcWdxjB.';
const YESCRYPT = '$y$j9T$F5Jx5fExrKuPp53xLKQ..1$tnSYvahCwPBHKZUspmcxMfb0.WiB9W.zEaKlOBL35rC';
const SHA1 = '{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=';
const DAY = 86_400_000;

function users(text: string, format: UserFileFormat, options: Partial<UserFileOptions> = {}): readonly UserRecord[] {
  return parseUserFile(text, { format, ...options }).users;
}

/** Returns the problems of a file as `LINE EFFECT NAME: REASON`. */
function problems(content: string | Uint8Array, format: UserFileFormat): string[] {
  return parseUserFile(content, { format }).problems.map(asText);
}

function asText({ line, effect, name, reason }: UserFileProblem): string {
  return `${line} ${effect} ${name ?? '-'}: ${reason}`;
}

describe('htpasswd', () => {
  test('users, as Apache reads them', () => {
    const text = `# made by htpasswd\n\n  ann:${BCRYPT}\njoe:${SHA1}:a comment\neve smith:{SSHA}x\n`;
    expect(users(text, 'htpasswd')).toEqual([
      { name: 'ann', secrets: [BCRYPT] },
      { name: 'joe', secrets: [SHA1] },
      { name: 'eve smith', secrets: ['{SSHA}x'] },
    ]);
  });

  test('a bare field is a hash of crypt(3) and never a password', () => {
    const { users, problems } = parseUserFile('joe:s3cret\nann:ab01FAX.bQRSU\n', { format: 'htpasswd' });
    expect(users.map(({ secrets }) => secrets)).toEqual([['{CRYPT}s3cret'], ['{CRYPT}ab01FAX.bQRSU']]);
    expect(problems.map(asText)).toEqual([
      expect.stringMatching(/^1 unusable joe: has an unusable password: .*CRYPT/),
      expect.stringMatching(/^2 unusable ann: has an unusable password: .*weak scheme des-crypt/),
    ]);
  });

  test('a hash of MySQL is no locked field', () => {
    const text = 'joe:*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29\n';
    expect(problems(text, 'htpasswd')).toEqual([expect.stringMatching(/^1 unusable joe: .*MySQL/)]);
    expect(problems(text, 'passwd-file')).toEqual([expect.stringMatching(/^1 unusable joe: .*CRYPT/)]);
  });

  test('the text of a failed hash is no password', () => {
    const parsed = parseUserFile('joe:*0\n', { format: 'htpasswd' });
    expect(parsed.users).toEqual([{ name: 'joe', secrets: [] }]);
    expect(parsed.problems.map(asText)).toEqual([expect.stringContaining('htpasswd could not make the hash')]);
  });

  test('a user that htpasswd wrote as a comment is reported', () => {
    expect(problems(`#joe:${BCRYPT}\n# joe: on holiday\n#old\n`, 'htpasswd')).toEqual([
      '1 note #joe: is a comment, though it looks like a user',
    ]);
  });
});

describe('passwd-file', () => {
  test('users, as Dovecot reads them', () => {
    const text = [
      '# comment:{PLAIN}pw',
      'ann:{PLAIN}pw ',
      `joe:${SHA512}:1000:1000:Joe:/home/joe:/bin/sh`,
      `eve:{CRYPT}${SHA512}::::::userdb_mail=maildir:~/Maildir userdb_quota_rule=*:storage=1G`,
      'tim:8fe4c11451281c094a6578e6ddbf5eed[34]',
      `sue:ab01FAX.bQRSU[13]`,
      '',
    ].join('\n');
    expect(users(text, 'passwd-file')).toEqual([
      { name: 'ann', secrets: ['{PLAIN}pw '] },
      { name: 'joe', secrets: [SHA512] },
      { name: 'eve', secrets: [`{CRYPT}${SHA512}`] },
      { name: 'tim', secrets: ['{PLAIN-MD5}8fe4c11451281c094a6578e6ddbf5eed'] },
      { name: 'sue', secrets: ['{CRYPT}ab01FAX.bQRSU'] },
    ]);
  });

  test('defaultScheme is the scheme of a bare field', () => {
    const [user] = users('joe:s3cret\n', 'passwd-file', { defaultScheme: 'PLAIN' });
    expect(user?.secrets).toEqual(['{PLAIN}s3cret']);
    const [hash] = users(`joe:${SHA512}\n`, 'passwd-file', { defaultScheme: 'SHA512-CRYPT' });
    expect(hash?.secrets).toEqual([`{SHA512-CRYPT}${SHA512}`]);
  });

  test.each(['nologin', 'nologin=no', 'nologin:protected', 'fail=y', 'userdb_x=1  nologin', 'userdb_x=1\tnologin'])(
    '%j disables the user',
    (extra) => {
      expect(users(`joe:{PLAIN}x::::::${extra}\n`, 'passwd-file')).toEqual([
        { name: 'joe', secrets: ['{PLAIN}x'], enabled: false },
      ]);
    },
  );

  test.each([
    ['allow_nets=192.0.2.0/24', 'limits the networks'],
    ['allow_nets:protected=192.0.2.0/24', 'limits the networks'],
    ['userdb_mail=maildir:~/Maildir allow_nets=127.0.0.1', 'limits the networks'],
    ['allow_real_nets=192.0.2.1', 'limits the networks'],
    ['user=ann', 'another name'],
    ['domain=a.example', 'another name'],
    ['userdb_user=ann', 'another name'],
    ['nopassword', 'every password'],
    ['noauthenticate', 'another database'],
    ['delay_until=4000000000', 'delays logins'],
    ['password={PLAIN}x', 'in the extra fields'],
  ])('%j refuses the line', (extra, reason) => {
    const { users, problems } = parseUserFile(`joe:{PLAIN}x::::::${extra}\n`, { format: 'passwd-file' });
    expect(users).toEqual([]);
    expect(problems.map(asText)).toEqual([expect.stringMatching(`^1 refused joe: .*${reason}`)]);
  });

  test('a field that Dovecot does not know is reported, and fields of proxies are not', () => {
    const text = 'joe:{PLAIN}x::::::proxy host=192.0.2.9 pass=hunter2 forward_a=b disabled NOLOGIN\n';
    expect(problems(text, 'passwd-file')).toEqual([
      '1 note joe: has the extra field "disabled", which has no effect',
      '1 note joe: has the extra field "NOLOGIN", which has no effect',
    ]);
  });

  test('the seventh field is no extra field', () => {
    expect(users('joe:{PLAIN}x:1:1::/home:nologin\n', 'passwd-file')).toEqual([{ name: 'joe', secrets: ['{PLAIN}x'] }]);
  });
});

describe('shadow', () => {
  /** 2026-11-30, day 20,787 since 1970. */
  const now = () => 20_787 * DAY + 1;
  const read = (line: string) => users(`${line}\n`, 'shadow', { now })[0];

  test('a user without limits', () => {
    expect(read(`joe:${SHA512}:20000:0:99999:7:::`)).toEqual({ name: 'joe', secrets: [SHA512] });
  });

  test.each<[string, string, Partial<UserRecord>]>([
    ['the last change on day 0', '0:0:99999:7:::', { mustChangePassword: true }],
    ['the last day of the password', '20700:0:87:7:::', {}],
    ['the day after the last day of the password', '20700:0:86:7:::', { mustChangePassword: true }],
    ['no day of the last change', ':0:1:7:::', {}],
    ['no maximum age', '1:0::7:1::', {}],
    ['a maximum age of -1', '1:0:-1:7:1::', {}],
    ['an expired user', '20000:0:99999:7::1:', { expires: new Date(DAY) }],
    ['a user that expires', '20000:0:99999:7::20800:', { expires: new Date(20_800 * DAY) }],
    ['days of inactivity', '20780:0:90:7:5::', { expires: new Date((20_780 + 90 + 5 + 1) * DAY) }],
    ['the earlier of two ends', '20780:0:90:7:5:20790:', { expires: new Date(20_790 * DAY) }],
    ['a day beyond all dates', '20000:0:99999:7::999999999:', {}],
  ])('%s', (_, ages, expected) => {
    expect(read(`joe:${SHA512}:${ages}`)).toEqual({ name: 'joe', secrets: [SHA512], ...expected });
  });

  test('the time at which the password expires is there for a user that stays loaded', async () => {
    const items = await collect([`joe:${SHA512}:20780:0:90:7:::\n`], { format: 'shadow', now });
    expect(items).toEqual([
      {
        kind: 'user',
        line: 1,
        user: { name: 'joe', secrets: [SHA512] },
        passwordExpires: new Date((20_780 + 90 + 1) * DAY),
      },
    ]);
  });

  test('a locked hash disables the user, and is not kept', () => {
    expect(read(`joe:!${SHA512}:20000:0:99999:7:::`)).toEqual({ name: 'joe', secrets: [], enabled: false });
  });

  test.each(['', '*', '!', '!!', '!*', 'x'])('%j is no password', (field) => {
    expect(read(`joe:${field}:20000:0:99999:7:::`)).toEqual({ name: 'joe', secrets: [] });
    expect(problems(`joe:${field}:20000:0:99999:7:::\n`, 'shadow')).toEqual([
      '1 note joe: has no password: the field is empty or locked',
    ]);
  });

  test('yescrypt needs @postern/crypt', () => {
    const text = `joe:${YESCRYPT}:20000:0:99999:7:::\n`;
    expect(problems(text, 'shadow')).toEqual([expect.stringMatching(/^1 unusable joe: .*yescrypt.*@postern\/crypt/)]);
    const crypt = { work: () => ({ place: 'pool', memory: 0 }) as const, hash: async () => undefined };
    expect(parseUserFile(text, { format: 'shadow', crypt })).toEqual({
      users: [{ name: 'joe', secrets: [YESCRYPT] }],
      problems: [],
    });
  });

  test.each([
    ['joe:x:1:2:3', '1 refused -: has 5 fields; expected 9, as in shadow(5)'],
    ['joe:x:1:2:3:4:5:6:7:8', '1 refused -: has 10 fields; expected 9, as in shadow(5)'],
    ['joe:x:1:2:soon::::', '1 refused joe: has no number of days in field 5; expected digits or nothing'],
    ['joe:x:1:2:3:4:5:never:', '1 refused joe: has no number of days in field 8; expected digits or nothing'],
  ])('%s', (line, expected) => {
    expect(problems(`${line}\n`, 'shadow')).toEqual([expected]);
  });
});

describe.each<UserFileFormat>(['htpasswd', 'passwd-file', 'shadow'])('each format: %s', (format) => {
  const rest = format === 'shadow' ? ':20000:0:99999:7:::' : '';
  const line = (name: string, secret = BCRYPT) => `${name}:${secret}${rest}`;

  test('two users of one name are a fault of the file that names both lines', () => {
    const { users, problems } = parseUserFile(`${line('Joe')}\n${line('ann')}\n${line('joe')}\n`, { format });
    expect(users.map(({ name }) => name)).toEqual(['Joe', 'ann']);
    expect(problems.map(asText)).toEqual([
      '3 file joe: is on line 1 also, perhaps in other letters; expected one line a user',
    ]);
  });

  test('CRLF ends a line, and a byte order mark begins the file', () => {
    const parsed = parseUserFile(`\uFEFF${line('joe')}\r\n${line('ann')}\r\n`, { format });
    expect(parsed).toEqual({
      users: [
        { name: 'joe', secrets: [BCRYPT] },
        { name: 'ann', secrets: [BCRYPT] },
      ],
      problems: [],
    });
  });

  test('a last line without a line end is cut off', () => {
    const { users, problems } = parseUserFile(`${line('ann')}\n${line('joe')}`, { format });
    expect(users.map(({ name }) => name)).toEqual(['ann']);
    expect(problems.map(asText)).toEqual([expect.stringMatching(/^2 file -: has no line end/)]);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['Latin-1', Buffer.from('j\u00f6e:x\n', 'latin1'), /^1 file -: is not UTF-8; .*iconv/],
    ['NULs, as after a crash', Buffer.alloc(9).fill('\n', 8), /^1 file -: holds a NUL or a CR/],
    ['line ends of CR', Buffer.from('joe:x\rann:x\r\n'), /^1 file -: holds a NUL or a CR/],
    ['a line of 65,537 octets', Buffer.from(`joe:${'x'.repeat(65_533)}\n`), /^1 file -: is longer than 65536 octets/],
  ])('%s is a fault of the file', (_, content, expected) => {
    expect(problems(content, format)).toEqual([expect.stringMatching(expected)]);
  });

  test.each([
    ['joe ', /^1 refused -: has a blank beside its name/],
    ['j\u0001e', /^1 refused -: has a name with characters/],
    ['x'.repeat(1025), /^1 refused -: has a name of more than 1024 octets/],
    [BCRYPT, /^1 refused -: begins with a hash/],
    ['{PLAIN}s3cret', /^1 refused -: begins with a hash/],
  ])('the name %j is refused', (name, expected) => {
    expect(problems(`${line(name)}\n`, format)).toEqual([expect.stringMatching(expected)]);
  });

  test('a line without a colon is refused, and not printed', () => {
    const [problem, ...more] = problems(`${BCRYPT}\n`, format);
    expect(more).toEqual([]);
    expect(problem).toMatch(/^1 refused -: has (no ":"|1 fields)/);
  });

  test('a line without a name is refused', () => {
    expect(problems(`${line('')}\n`, format)).toEqual([expect.stringMatching(/^1 refused -: has no name/)]);
  });

  test('a malformed secret is reported, and its user is there', () => {
    const parsed = parseUserFile(`${line('joe', '$2y$05$short')}\n`, { format });
    expect(parsed.users).toEqual([{ name: 'joe', secrets: ['$2y$05$short'] }]);
    expect(parsed.problems).toMatchObject([{ effect: 'unusable', name: 'joe', line: 1 }]);
  });

  test('weak schemes are problems unless they are allowed', () => {
    const text = `${line('joe', '$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/')}\n`;
    expect(parseUserFile(text, { format }).problems).toMatchObject([{ effect: 'unusable' }]);
    expect(parseUserFile(text, { format, allowWeak: true }).problems).toEqual([]);
  });

  test('no text throws, no problem shows a secret, and chunks of any size read alike', async () => {
    const field = fc.constantFrom(
      'joe',
      'ann',
      ':',
      ':',
      '\n',
      '\r\n',
      ' ',
      '#',
      '{PLAIN}hunter2',
      'hunter2',
      '$6$',
      '!',
    );
    const text = fc.array(fc.oneof(field, fc.string({ unit: anyCharacter, maxLength: 3 })), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 7 }), async (parts, size) => {
        const content = Buffer.from(parts.join(''));
        const { users, problems } = parseUserFile(content, { format });
        // `hunter2` may also stand where a name or an extra field stands.
        for (const { reason } of problems) expect(reason.replace(/extra field ".*"/, '')).not.toContain('hunter2');
        const chunks = Array.from({ length: Math.ceil(content.length / size) }, (_, index) =>
          content.subarray(index * size, (index + 1) * size),
        );
        const items = await collect(chunks, { format });
        expect(items.flatMap((item) => (item.kind === 'user' ? [item.user] : []))).toEqual(users);
        expect(items.filter((item) => item.kind === 'problem')).toEqual(problems);
      }),
    );
  });
});

test('a chunk may be overwritten once the next one is asked for', async () => {
  const buffer = Buffer.alloc(8);
  async function* chunks() {
    for (const text of ['joe:{PLA', 'IN}x\nann', ':{SHA}a\n']) {
      buffer.write(text);
      yield buffer;
    }
  }
  const items: UserFileItem[] = [];
  for await (const item of readUserFile(chunks(), { format: 'passwd-file' })) items.push(item);
  expect(items[0]).toEqual({ kind: 'user', line: 1, user: { name: 'joe', secrets: ['{PLAIN}x'] } });
  expect(items[1]).toMatchObject({ kind: 'user', user: { name: 'ann' } });
});

test.each<[string, UserFileFormat, string[]]>([
  // `htpasswd -p` writes the password itself, which Apache compares only on Windows.
  ['htpasswd', 'htpasswd', [expect.stringContaining('malformed: expected a hash of crypt(3)')]],
  [
    'doveadm',
    'passwd-file',
    [
      // `doveadm pw` writes no length, and Dovecot refuses every password.
      expect.stringContaining('plain-trunc is malformed: expected a length'),
      expect.stringContaining('the scheme {OTP}, which is not supported'),
    ],
  ],
  ['shadow', 'shadow', []],
])('the secrets that %s wrote are usable, but for these', (tool, format, unusable) => {
  const entries = readCorpus().get(tool)?.entries ?? [];
  const crypt = { work: () => ({ place: 'pool', memory: 0 }) as const, hash: async () => undefined };
  const rest = format === 'shadow' ? ':20000:0:99999:7:::' : '';
  const text = entries.map((entry, index) => `user${index}:${entry.text}${rest}\n`).join('');
  const { users, problems } = parseUserFile(text, { format, crypt, allowWeak: true });
  expect(problems.filter(({ effect }) => effect !== 'note').map(({ reason }) => reason)).toEqual(unusable);
  expect(users).toHaveLength(entries.length);
});

async function collect(chunks: readonly (string | Uint8Array)[], options: UserFileOptions): Promise<UserFileItem[]> {
  async function* octets() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const items: UserFileItem[] = [];
  for await (const item of readUserFile(octets(), options)) items.push(item);
  return items;
}
