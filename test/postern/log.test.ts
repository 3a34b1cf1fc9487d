import { describe, expect, it } from 'vitest';
import { jsonLog, prettyLog } from '../../packages/postern/src/log.ts';

describe('the log for people', () => {
  it('is a line an entry, which nobody can break or colour', () => {
    let written = '';
    const log = prettyLog(
      (line) => {
        written += line;
      },
      () => new Date(0),
    );
    log.info('connected', { remote: '127.0.0.1:5', name: 'two words', evil: '\n\u001b[2J', none: undefined, n: 3 });
    log.error('trouble', { error: new Error('outer', { cause: new Error('inner', { cause: new Error('inner') }) }) });
    expect(written).toBe(
      '1970-01-01T00:00:00.000Z info  connected remote=127.0.0.1:5 name="two words" evil="\\n\\u001b[2J" n=3\n' +
        '1970-01-01T00:00:00.000Z error trouble error="outer: inner"\n',
    );
  });
});

describe('the log for programs', () => {
  it('is an object an entry, on one line, in which nothing turns the writing or commands a terminal', () => {
    let written = '';
    const log = jsonLog((line) => {
      written += line;
    });
    const evil = '\n\r\u001b[2J\u007f\u009b2J\u2028\u202e\u2066\ufeffé';
    log.warn('trouble', { evil, error: new Error(evil) });
    expect(written).toMatch(/^[ -~é]+\n$/);
    expect(JSON.parse(written)).toMatchObject({ level: 'warn', msg: 'trouble', evil, err: { message: evil } });
  });
});
