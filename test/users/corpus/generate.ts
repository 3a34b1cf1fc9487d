// Writes the hash corpus again, with the programs of this machine:
//
//   node tools/node.mjs test/users/corpus/generate.ts [TOOL…]
//
// Writes one JSON file for each tool, or for the tools named. The texts differ each time, since
// their salts do. The packages of Debian that it needs are in `.ci/run`; `npm.json` needs the
// network. All non-ASCII characters are escaped, so that no editor normalizes them.
import { writeFileSync } from 'node:fs';
import type { Form, OpenPasswordTool, PasswordTool } from '../../support/password-tools/password-tool.ts';
import { ALL_PASSWORD_TOOLS } from '../../support/password-tools/password-tools.ts';
import type { CorpusEntry, CorpusFile, Verdict } from './corpus.ts';

async function generate(names: readonly string[]): Promise<void> {
  for (const tool of ALL_PASSWORD_TOOLS) {
    if (names.length > 0 && !names.includes(tool.name)) continue;
    const file = await corpusOf(tool);
    const json = JSON.stringify(file, undefined, 2).replaceAll(
      /[^\x00-\x7f]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
    writeFileSync(new URL(`${tool.name}.json`, import.meta.url), `${json}\n`);
    console.log(`${tool.name}: ${file.entries.length} texts of ${file.tool}`);
  }
}

async function corpusOf(tool: PasswordTool): Promise<CorpusFile> {
  await using open = await tool.open();
  const entries: CorpusEntry[] = [];
  for (const [index, form] of tool.forms.entries()) {
    for (const password of passwordsFor(form, index)) entries.push(await entryOf(tool, open, form, password));
  }
  return { tool: open.version, verifier: open.verifier, entries };
}

async function entryOf(tool: PasswordTool, open: OpenPasswordTool, form: Form, password: string): Promise<CorpusEntry> {
  const text = await open.write(form, password);
  const verdicts: Verdict[] = [];
  for (const tried of triedPasswords(form, password)) {
    verdicts.push({ password: tried, ...(await open.judge(form, text, tried)) });
  }
  const entry = { scheme: form.scheme, command: tool.command(form), text, password, verdicts };
  return form.costly ? { ...entry, costly: true } : entry;
}

/** One or two passwords for each call, in turn. bcrypt has passwords around its 72 octets too. */
function passwordsFor({ passwords, bcrypt, costly }: Form, index: number): readonly string[] {
  if (passwords !== undefined) return passwords;
  const first = PASSWORDS[index % PASSWORDS.length] ?? '';
  const long = LONG_PASSWORDS[index % LONG_PASSWORDS.length] ?? '';
  return bcrypt && !costly ? [first, long] : [first];
}

/** The password itself, and others that a verifier could confuse with it. */
function triedPasswords({ bcrypt, des, costly }: Form, password: string): readonly string[] {
  const tried = [password, `${password}x`];
  if (!costly) {
    tried.push(password.slice(0, -1), password.trim(), password.replaceAll('\u00ad', ''));
    tried.push(...(['NFC', 'NFD', 'NFKC'] as const).map((form) => password.normalize(form)));
    if (bcrypt && password.length > BCRYPT_OCTETS - 1) {
      tried.push(password.slice(0, BCRYPT_OCTETS), password.slice(0, BCRYPT_OCTETS - 1));
    }
    if (des) tried.push(password.slice(0, DES_OCTETS), `${password.slice(0, DES_OCTETS)}other`);
  }
  return Array.from(new Set(tried));
}

const BCRYPT_OCTETS = 72;
const DES_OCTETS = 8;

const PASSWORDS: readonly string[] = [
  'correct horse battery staple',
  'p\u00e4ssw\u00f6rd',
  'na\u00efve\u00b2',
  's3cret',
  ' blanks around ',
  'pa\u0308sswo\u0308rd',
  `p:a$s{S}"w'\\d`,
  'soft\u00adhyphen',
];

const LONG_PASSWORDS: readonly string[] = ['0123456789abcdef'.repeat(5), '0123456789ab'.repeat(6)];

await generate(process.argv.slice(2));
