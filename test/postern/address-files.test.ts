import { describe, expect, it } from 'vitest';
import { isAddress, parseAddressLines, parseNamedTargets } from '../../packages/postern/src/address-files.ts';
import { UsageError } from '../../packages/postern/src/errors.ts';

describe('a file of names and targets', () => {
  it('has one name on a line, comments and continuation lines', () => {
    const text = [
      '# aliases',
      'postmaster: ann',
      '',
      'Sales@example.com:\tann, "bob b"@example.org,',
      '   # a comment between',
      '\tcyd',
      '@all.example: "a,b"@example.com\r',
      '"a:b": ann',
    ].join('\n');
    const { entries, placeOf } = parseNamedTargets(text, 'aliases');
    expect(entries).toEqual([
      ['postmaster', ['ann']],
      ['Sales@example.com', ['ann', '"bob b"@example.org', 'cyd']],
      ['@all.example', ['"a,b"@example.com']],
      ['"a:b"', ['ann']],
    ]);
    expect(placeOf('@all.example')).toBe('aliases:7');
    expect(placeOf('nobody')).toBe('aliases');
  });

  it.each(['ann', 'ann:', ': ann', 'ann: ,', '"ann: bob'])(
    'is refused for the line %j, with the number of the line',
    (line) => {
      const parse = () => parseNamedTargets(`ok: ann\n${line}\n`, 'aliases');
      expect(parse).toThrow(UsageError);
      expect(parse).toThrow('aliases:2: expected name: target, target');
    },
  );
});

describe('a file of addresses', () => {
  it('has one address on a line, and comments', () => {
    const text = '# who lives here\nann@example.com\r\n\n  bob # Bob\n@all.example\nc#d@example.com\n';
    expect(parseAddressLines(text, 'recipients')).toEqual([
      'ann@example.com',
      'bob',
      '@all.example',
      'c#d@example.com',
    ]);
  });

  it.each(['ann@', 'ann bob', '@', 'ann@example.com OK'])(
    'is refused for the line %j, with the number of the line',
    (line) => {
      const message = 'recipients:3: expected an address, a name or @domain';
      expect(() => parseAddressLines(`ann\n\n${line}`, 'recipients')).toThrow(message);
      expect(isAddress(line)).toBe(false);
    },
  );
});
