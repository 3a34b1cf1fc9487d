import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { jsonLog } from '../../packages/postern/src/json-log.ts';
import { hasColours, prettyLog } from '../../packages/postern/src/log.ts';

describe('the pretty log', () => {
  it('has one line for each entry, which no value can break or colour', () => {
    let written = '';
    const log = prettyLog(
      (line) => {
        written += line;
      },
      { now: () => new Date(0) },
    );
    log.info('connected', { remote: '127.0.0.1:5', name: 'two words', evil: '\n\u001b[2J', none: undefined, n: 3 });
    log.error('error', { error: new Error('outer', { cause: new Error('inner', { cause: new Error('inner') }) }) });
    expect(written).toBe(
      '1970-01-01T00:00:00.000Z info  connected remote=127.0.0.1:5 name="two words" evil="\\n\\u001b[2J" n=3\n' +
        '1970-01-01T00:00:00.000Z error error error="outer: inner"\n',
    );
  });
});

describe('colours', () => {
  it('mark time, level and message, and no control sequence of a client passes', () => {
    let written = '';
    const write = (line: string) => {
      written += line;
    };
    prettyLog(write, { now: () => new Date(0), colours: true }).warn('refused', { evil: '\u001b[2J' });
    expect(stripVTControlCharacters(written)).toBe('1970-01-01T00:00:00.000Z warn  refused evil=\\x1b[2J\n');
    expect(written).toContain('\u001b[33mwarn ');
    expect(written).not.toContain('\u001b[2J');
  });

  const terminal = { isTTY: true, hasColors: () => true };
  it.each([
    ['a terminal', terminal, {}, true],
    ['a terminal with NO_COLOR', terminal, { NO_COLOR: '1' }, false],
    ['a terminal with an empty NO_COLOR', terminal, { NO_COLOR: '' }, true],
    ['a file', {}, {}, false],
    ['a file with FORCE_COLOR', {}, { FORCE_COLOR: '1' }, true],
    ['a terminal with FORCE_COLOR=0', terminal, { FORCE_COLOR: '0' }, false],
    ['NO_COLOR and FORCE_COLOR', terminal, { NO_COLOR: '1', FORCE_COLOR: '1' }, false],
  ])('follow terminal and environment: %s (%#)', (_name, stream, env, expected) => {
    expect(hasColours(stream, env)).toBe(expected);
  });
});

describe('the JSON log', () => {
  it('has one object on one line for each entry, without bidirectional or control characters', () => {
    let written = '';
    const log = jsonLog((line) => {
      written += line;
    });
    const evil = '\u{e0041}\u00ad\n\r\u001b[2J\u007f\u009b2J\u2028\u202e\u2066\ufeffé';
    log.warn('error', { evil, error: new Error(evil) });
    expect(written).toMatch(/^[ -~é]+\n$/);
    expect(JSON.parse(written)).toMatchObject({ level: 'warn', msg: 'error', evil, err: { message: evil } });
  });
});
