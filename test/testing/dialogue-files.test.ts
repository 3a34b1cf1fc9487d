import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dialogueFiles } from '@postern/testing';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'dialogues-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('reads the dialogues of a folder, their titles and their settings', () => {
  const script = '# A login (RFC 4954: AUTH).\n# server: tls=offered\nS: 220 hello\n# note to self: none\nC: QUIT\n';
  writeFileSync(join(folder, 'b.smtp'), script);
  writeFileSync(join(folder, 'a.smtp'), 'S: 220 hello\n');
  writeFileSync(join(folder, 'notes.txt'), 'no dialogue');
  expect(dialogueFiles(folder)).toEqual([
    { name: 'a', title: '', settings: new Map(), script: 'S: 220 hello\n' },
    { name: 'b', title: 'A login (RFC 4954: AUTH).', settings: new Map([['server', 'tls=offered']]), script },
  ]);
  expect(dialogueFiles(folder, '.pop3')).toEqual([]);
});
