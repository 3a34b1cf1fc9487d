import type { MailParameters, RcptParameters } from '@postern/esmtp';
import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, Server, type ServerOptions } from '../server.ts';

/** Returns the text in the syntax of a script. */
const literally = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('{', '\\{');

/** Sends parameters of MAIL or RCPT, and returns those that the delivery got. */
async function hear<K extends 'MAIL' | 'RCPT'>(
  verb: K,
  lines: readonly (readonly [parameters: string, reply: string])[],
  options: ServerOptions = {},
): Promise<(K extends 'MAIL' ? MailParameters : RcptParameters)[]> {
  const server = new Server(options);
  const heard: unknown[] = [];
  if (verb === 'MAIL') server.delivery.onFrom = (_path, parameters) => void heard.push(parameters);
  else server.delivery.onTo = (_path, parameters) => void heard.push(parameters);
  const script = lines.map(([parameters, reply]) =>
    verb === 'MAIL'
      ? `\nC: MAIL FROM:<ann@example.com> ${parameters}\nS: ${reply}\nC: RSET\nS: 250...`
      : `\nC: RCPT TO:<bob@example.com> ${parameters}\nS: ${reply}`,
  );
  const begin = verb === 'MAIL' ? '' : '\nC: MAIL FROM:<ann@example.com>\nS: 250...';
  await server.play(`${GREETED}${LOGIN}${begin}${script.join('')}`);
  return heard as (K extends 'MAIL' ? MailParameters : RcptParameters)[];
}

const SENDER = '250 2.1.0 Sender OK';
const RECIPIENT = '250 2.1.5 Recipient OK';
const BAD_VALUE = '501 5.5.4 Syntax error in a parameter';
const BAD_PARAMETERS = '501 5.5.4 Syntax error in the parameters';

describe('58: DSN on MAIL', () => {
  test('is offered', async () => {
    expect(await new Server().play(GREETED)).toMatch(/^S: 250-DSN$/m);
  });

  test('RET and ENVID reach the delivery, the envelope id unchanged', async () => {
    const heard = await hear('MAIL', [
      ['RET=FULL', SENDER],
      ['RET=hdrs ENVID=QQ314159', SENDER],
      ['envid=a+2Bb+20+3D+7E+41', SENDER],
      ['', SENDER],
    ]);
    expect(heard).toEqual([
      { smtpUtf8: false, ret: 'FULL' },
      { smtpUtf8: false, ret: 'HDRS', envid: 'QQ314159' },
      { smtpUtf8: false, envid: 'a+2Bb+20+3D+7E+41' },
      { smtpUtf8: false },
    ]);
  });

  test.each(['RET', 'RET=', 'RET=ALL', 'RET=FULL,HDRS', 'ENVID', 'ENVID=', 'ENVID=a+b', 'ENVID=a+3d', 'ENVID=a=b'])(
    '%s is 501',
    async (parameter) => {
      await hear('MAIL', [[parameter, '{/501 5\\.5\\.4 Syntax error in (a|the) parameters?/}']]);
    },
  );

  test.each(['ENVID=a+0Ab', 'ENVID=+00', 'ENVID=+7F', 'ENVID=+C3+A4', 'ENVID=\u00e4'])(
    '%s is 501: what it stands for must be printable',
    async (parameter) => {
      await hear('MAIL', [[parameter, BAD_VALUE]]);
    },
  );

  test.each(['RET=FULL RET=FULL', 'RET=FULL ret=HDRS', 'ENVID=a ENVID=a'])(
    '%s is 501: once is enough',
    async (twice) => {
      await hear('MAIL', [[twice, BAD_PARAMETERS]]);
    },
  );

  test('the required sizes are accepted (RFC 3461 §5.4)', async () => {
    const envid = 'e'.repeat(100);
    const auth = `AUTH=${'a'.repeat(60)}@${'b'.repeat(60)}.example.com`;
    const [heard] = await hear('MAIL', [[`RET=FULL ENVID=${envid} SIZE=10 BODY=8BITMIME ${auth}`, SENDER]]);
    expect(heard?.envid).toBe(envid);
  });
});

describe('58: DSN on RCPT', () => {
  test('NOTIFY reaches the delivery, in upper case', async () => {
    const heard = await hear('RCPT', [
      ['NOTIFY=NEVER', RECIPIENT],
      ['NOTIFY=never', RECIPIENT],
      ['NOTIFY=Success,FAILURE,delay', RECIPIENT],
      ['notify=DELAY', RECIPIENT],
      ['NOTIFY=FAILURE,FAILURE', RECIPIENT],
      ['', RECIPIENT],
    ]);
    expect(heard.map(({ notify }) => notify)).toEqual([
      'NEVER',
      'NEVER',
      ['SUCCESS', 'FAILURE', 'DELAY'],
      ['DELAY'],
      ['FAILURE'],
      undefined,
    ]);
  });

  test.each([
    'NOTIFY',
    'NOTIFY=',
    'NOTIFY=NEVER,SUCCESS',
    'NOTIFY=SUCCESS,NEVER',
    'NOTIFY=NEVER,NEVER',
    'NOTIFY=SUCCESS,',
    'NOTIFY=,SUCCESS',
    'NOTIFY=SUCCESS,,DELAY',
    'NOTIFY=ALWAYS',
    'NOTIFY=SUCCESS;DELAY',
    'NOTIFY=SUCCESS NOTIFY=DELAY',
    'ORCPT=rfc822;a ORCPT=rfc822;a',
  ])('%s is 501', async (parameter) => {
    await hear('RCPT', [[parameter, '{/501 5\\.5\\.4 Syntax error in (a|the) parameters?/}']]);
  });

  test('ORCPT reaches the delivery unchanged', async () => {
    const values = [
      'rfc822;Bob+2Btag@Example.COM',
      'RFC822;bob+40example.com',
      'x400;/C+3DUS/A+3D+20/',
      'rfc822;',
      `rfc822;${'x'.repeat(500)}`,
      'unknown;a;b',
    ];
    const heard = await hear(
      'RCPT',
      values.map((value) => [`ORCPT=${literally(value)}`, RECIPIENT] as const),
    );
    expect(heard.map(({ orcpt }) => orcpt)).toEqual(values);
  });

  test.each([
    'ORCPT',
    'ORCPT=bob@example.com',
    'ORCPT=;bob@example.com',
    'ORCPT=rfc 822;bob',
    'ORCPT=rfc.822;bob',
    'ORCPT=rfc822;bob+tag@example.com',
    'ORCPT=rfc822;bob+2btag',
    'ORCPT=rfc822;bob+00',
    'ORCPT=rfc822;bob+0D+0A',
    'ORCPT=rfc822;b\u00f6b',
    'ORCPT=\u00e4;bob',
  ])('%s is 501', async (parameter) => {
    await hear('RCPT', [[parameter, '{/501 5\\.5\\.4 .*/}']]);
  });

  test('57: the UTF-8 address type is accepted in each of its forms (RFC 6533 §3)', async () => {
    const values = [
      'utf-8;b\\x{F6}b@example.com',
      'UTF-8;b\u00f6b@ex\u00e4mple.com',
      'utf-8;\u4f8b\\x{20}\\x{5C}\\x{2B}\\x{3D}@example.com',
      'utf-8;\\x{1F4EC}\\x{10FFFF}\\x{D7FF}\\x{e000}\\x{7f}\\x{01}@example.com',
      'utf-8;\u{1f4ec}@example.com',
      'utf-8;bob@example.com',
    ];
    const heard = await hear(
      'RCPT',
      values.map((value) => [`ORCPT=${literally(value)}`, RECIPIENT] as const),
    );
    expect(heard.map(({ orcpt }) => orcpt)).toEqual(values);
  });

  test.each([
    '',
    'b+C3+B6b',
    'b\\b',
    'b\\x{}',
    'b\\x{6}',
    'b\\x{41}',
    'b\\x{0A}',
    'b\\x{D800}',
    'b\\x{DFFF}',
    'b\\x{110000}',
    'b\\x{00F6}',
    'b\\x{F6',
    'b\\xF6',
    '\\x{F6}\\',
  ])('57: utf-8;%s is 501', async (address) => {
    await hear('RCPT', [[`ORCPT=utf-8;${literally(address)}`, BAD_VALUE]]);
  });

  test('57: octets other than UTF-8 are 501', async () => {
    await hear('RCPT', [['ORCPT=utf-8;b\\xf6b@example.com', '501 5.5.2 Neither ASCII nor UTF-8']]);
  });

  test('a line of 1,034 octets is accepted (RFC 3461 §5.4)', async () => {
    const orcpt = `rfc822;${'o'.repeat(493)}`;
    const rcpt = `ORCPT=${orcpt} NOTIFY=SUCCESS,FAILURE,DELAY`;
    const [heard] = await hear('RCPT', [[`${rcpt}${' '.repeat(1034 - rcpt.length - 28)}`, RECIPIENT]]);
    expect(heard).toEqual({ orcpt, notify: ['SUCCESS', 'FAILURE', 'DELAY'] });
  });
});

describe('58: a request for DSN', () => {
  test('changes no reply', async () => {
    const answer = async (mail: string, rcpt: string): Promise<string> => {
      const transcript = await new Server().play(`${GREETED}${LOGIN}
        C: MAIL FROM:<ann@example.com>${mail}
        S: {/250 .*/}
        C: RCPT TO:<bob@example.com>${rcpt}
        S: {/250 .*/}
        C: RCPT TO:<nobody>${rcpt}
        S: {/501 .*/}`);
      return transcript.split('235')[1]?.replace(/^C: .*$/gm, '') ?? '';
    };
    const plain = await answer('', '');
    for (const rcpt of [' NOTIFY=NEVER', ' NOTIFY=SUCCESS ORCPT=rfc822;x', ' ORCPT=foo;bar']) {
      expect(await answer(' RET=FULL ENVID=x', rcpt)).toBe(plain);
    }
  });

  test('counts for the message of one transaction', async () => {
    const server = new Server();
    const message = '\nC: BDAT 0 LAST\nS: 250...';
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@example.com> ENVID=one RET=HDRS
      S: 250...
      C: RCPT TO:<bob@example.com> NOTIFY=NEVER
      S: 250...
      C: RCPT TO:<eve@example.com>
      S: 250...${message}
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<bob@example.com>
      S: 250...${message}`);
    const [one, two] = server.delivery.delivered.map(({ envelope }) => envelope);
    expect(one?.parameters).toEqual({ smtpUtf8: false, envid: 'one', ret: 'HDRS' });
    expect(one?.recipients.map(({ parameters }) => parameters)).toEqual([{ notify: 'NEVER' }, {}]);
    expect(two?.parameters).toEqual({ smtpUtf8: false });
    expect(two?.recipients.map(({ parameters }) => parameters)).toEqual([{}]);
  });

  test('10: is 555 on the other command, after HELO, and with DSN disabled', async () => {
    const unknown = '555 5.5.4 Unknown parameter';
    await hear('MAIL', [
      ['NOTIFY=NEVER', unknown],
      ['ORCPT=rfc822;x', unknown],
    ]);
    await hear('RCPT', [
      ['RET=FULL', unknown],
      ['ENVID=x', unknown],
    ]);
    await hear('MAIL', [['RET=FULL', unknown]], { disabledExtensions: ['DSN'] });
    expect(await new Server({ disabledExtensions: ['DSN'] }).play(GREETED)).not.toContain('DSN');
    await new Server({ authentication: 'optional', allowAnonymous: true }).play(
      `S: 220...\nC: HELO x\nS: 250...\nC: MAIL FROM:<ann@example.com> RET=FULL\nS: ${unknown}`,
    );
  });
});
