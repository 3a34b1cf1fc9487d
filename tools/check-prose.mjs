// Checks the language of comments, test titles, messages and Markdown.
//
//   node tools/check-prose.mjs [PATH…]     checks all files, or the files under the paths
//
// Prints `FILE:LINE: RULE: TEXT` for each finding and exits with 1 if there is one. The rules:
//   - no word of OLD_WORDS, and no sentence that begins with a word of OLD_BEGINNINGS;
//   - no comment beyond MAX_COLUMNS;
//   - no sentence of a doc comment over MAX_WORDS words. A colon, a semicolon and a list item end
//     the count, so that an enumeration is no finding.
// The text in backquotes and code blocks is code: no rule applies to it.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { parseSync, Visitor } from 'vite';

const MAX_COLUMNS = 100;
const MAX_WORDS = 25;

/** Each word of the old style, with a plain alternative. */
const OLD_WORDS = [
  [/\b(whoever|whomever|whosoever)\b/i, 'name the subject'],
  [/\b(whom|of whom)\b/i, 'name the person or client'],
  [/\b(for|to|by|from|of|than|lets?) who\b/i, 'name the person or client'],
  [/\bwhichever\b/i, 'any, the one that'],
  [/\b(somebody|nobody|anybody|everybody|someone|no one)\b(?!@)/i, 'name the subject: a client, no caller, every user'],
  [/\bstrangers?\b/i, 'an unauthenticated client'],
  [/\bso (many|much|long)\b/i, 'give the number and its unit; as long as, while'],
  [/\b(comes?|came|coming) to (?!a halt|an end|rest)/i, 'returns, becomes, resolves with'],
  [/\b(is|are|was|were|be) none\b/i, 'does not exist, is not a …'],
  [/\b(go|goes|went|going|gone) on\b/i, 'continues'],
  [/\b(is|are|be|was) done with\b/i, 'no longer needs, has ended'],
  [/\b(takes?|took|taking) (its |their )?leave\b/i, 'says goodbye, replies 221 and closes'],
  [/\btells\b(?! (\S+ ){1,3}(apart|from)\b)/i, 'says, reports, calls'],
  [/\bhands? (?!off\b|made\b|shake)\S+( \S+){0,3} (to|on|over|out|back)\b/i, 'passes, returns'],
  [/\bhands? (on|over|out|back|to)\b/i, 'passes, returns'],
  [/\bleads (?!to\b)/i, 'runs, controls'],
  [/\b(mends?|mended)\b/i, 'fixes, repairs, replies to'],
  [/\bin vain\b/i, 'without success'],
  [/\bThe same,? for\b/, 'a hover stands alone: say it in full'],
];

/**
 * No sentence begins with these words. A question may begin with Who or What, a heading with any.
 */
const OLD_BEGINNINGS = [
  [/^(whoever|whom|somebody|nobody|anybody|everybody|those|whatever|whichever)\b/i, 'name the subject'],
  [/^(who|whose|what)\b(?![^.!]*\?)/i, 'name the subject'],
  [/^the others?\b/i, 'name the subject'],
];

/** The findings that are right as they stand: the file's path, the text found, and the reason. */
const ALLOWED = [{ path: /^(CHANGELOG\.md|tools\/check-\w+\.mjs)$/, text: /./, reason: 'names what the rules forbid' }];

const findings = tracked(process.argv.slice(2)).flatMap(check);
for (const { path, line, rule, text } of findings) console.log(`${path}:${line}: ${rule}: ${text}`);
if (findings.length > 0) process.exitCode = 1;

function tracked(paths) {
  const { stdout, stderr, status } = spawnSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...paths],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return stdout.split('\0').filter((path) => /\.(ts|mts|mjs|js|md|sh|smtp|yml|yaml)$/.test(path) && existsSync(path));
}

function check(path) {
  const source = readFileSync(path, 'utf8');
  const read = path.endsWith('.md') ? markdown : /\.(sh|smtp|ya?ml)$/.test(path) ? hashComments : program;
  const lineOf = (offset) => source.slice(0, offset).split('\n').length;
  return read(source, path)
    .flatMap(({ kind, start, text }) => [
      ...words(kind, text).map(({ at, ...found }) => ({ ...found, line: lineOf(start + at) })),
      ...(kind === 'comment' || kind === 'doc' ? columns(source, start, text) : []),
    ])
    .filter(({ text }) => !ALLOWED.some((allowed) => allowed.path.test(path) && allowed.text.test(text)))
    .map((found) => ({ path, ...found }));
}

/** The words and beginnings of one text, and the length of its sentences if it is a doc comment. */
function words(kind, text) {
  const prose = withoutCode(text);
  const found = OLD_WORDS.flatMap(([pattern, hint]) =>
    [...prose.matchAll(new RegExp(pattern, `${pattern.flags}g`))].map((match) => ({
      at: match.index,
      rule: `“${match[0].trim()}” (${hint})`,
      text: around(text, match.index),
    })),
  );
  if (kind === 'message') return found;
  for (const { at, sentence } of sentences(prose)) {
    for (const [pattern, hint] of kind === 'heading' ? [] : OLD_BEGINNINGS) {
      const begin = pattern.exec(sentence)?.[0];
      if (begin) found.push({ at, rule: `begins with “${begin}” (${hint})`, text: around(text, at) });
    }
    if (kind !== 'doc') continue;
    const longest = Math.max(
      ...sentence.split(/[:;](?=\s)/).map((clause) => clause.match(/\S*[\p{L}\d_]\S*/gu)?.length ?? 0),
    );
    if (longest > MAX_WORDS) found.push({ at, rule: `${longest} words in a sentence`, text: around(text, at) });
  }
  return found;
}

/** The same length, with code, links' targets, heads of tables and comment stars blanked out. */
function withoutCode(text) {
  const blank = (part) => part.replace(/[^\n]/g, '_');
  return text
    .replace(/^([ \t*>]*)(```|~~~)[\s\S]*?\2/gm, (block) => block.replace(/[^\n]/g, ' '))
    .replace(/(`+)[^`]+?\1/g, blank)
    .replace(/^\|.*\|(?=\n\|[ :-]+\|)/gm, (head) => ' '.repeat(head.length))
    .replace(/\]\([^)\s]*\)/g, blank)
    .replace(/\{@link [^}]*\}|https?:\/\/\S+/g, blank)
    .replace(/^[ \t]*(\*(?!\*)|>|\/\/|#)/gm, (stars) => ' '.repeat(stars.length));
}

/** Finds where sentences begin. A blank line, a list item, a cell and a tag begin one too. */
function sentences(prose) {
  const end = /[.!?]["”')\]]*(?=\s)|\n[ \t]*\n|\n(?=[ \t]*([-*+|@]|\d+\.)\s?)|\s\|\s/g;
  const starts = [0, ...[...prose.matchAll(end)].map((match) => match.index + match[0].length)];
  return starts.map((start, i) => {
    const sentence = prose.slice(start, starts[i + 1]);
    const lead = /^[\s\-*+|]*(\d+\.\s+)?(@\w+\s+(\S+\s+-\s+)?)?[“"(]?/.exec(sentence)[0].length;
    return { at: start + lead, sentence: sentence.slice(lead).replace(/\s+/g, ' ') };
  });
}

/** The lines beyond MAX_COLUMNS, without indented code, directives and long addresses. */
function columns(source, start, text) {
  const from = source.lastIndexOf('\n', start) + 1;
  const lines = source.slice(from, start + text.length).split('\n');
  return lines.flatMap((line, i) =>
    line.length <= MAX_COLUMNS ||
    /^\s*(\/\/|\*|#) {3,}\S|biome-ignore|oxlint-disable|@ts-|https?:\S+\s*(\*\/)?$/.test(line)
      ? []
      : [
          {
            line: source.slice(0, from).split('\n').length + i,
            rule: `${line.length} columns`,
            text: line.trim().slice(0, 60),
          },
        ],
  );
}

function around(text, at) {
  return text
    .slice(Math.max(0, text.lastIndexOf('\n', at)), at + 70)
    .slice(-110)
    .replace(/\s+/g, ' ')
    .trim();
}

/** The comments, the titles of tests, and the strings of a package that read as text. */
function program(source, path) {
  const { program, comments, errors } = parseSync(path, source);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`);
  const parts = comments.map(({ type, value, start, end }, i) => ({
    kind: type === 'Block' && value.startsWith('*') ? 'doc' : 'comment',
    start,
    // A line comment that continues the one above is one text with it.
    text: source.slice(start, end),
    joined:
      type === 'Line' &&
      i > 0 &&
      comments[i - 1].type === 'Line' &&
      /^\n[ \t]*$/.test(source.slice(comments[i - 1].end, start)),
  }));
  const texts = [];
  for (const { joined, ...part } of parts) {
    if (joined) texts.at(-1).text = source.slice(texts.at(-1).start, part.start + part.text.length);
    else texts.push(part);
  }
  const add = (kind, { start, end }) => texts.push({ kind, start: start + 1, text: source.slice(start + 1, end - 1) });
  const titles = new Set();
  new Visitor({
    CallExpression({ callee, arguments: [title] }) {
      if (!/^(test|it|describe|suite)\b/.test(source.slice(callee.start, callee.end))) return;
      if (title?.type !== 'Literal' && title?.type !== 'TemplateLiteral') return;
      titles.add(title.start);
      add('title', title);
    },
    Literal(node) {
      if (typeof node.value === 'string' && isMessage(node.value) && !titles.has(node.start)) add('message', node);
    },
    TemplateLiteral(node) {
      if (node.quasis.some(({ value }) => isMessage(value.raw)) && !titles.has(node.start)) add('message', node);
    },
  }).visit(program);
  return texts.map((part) => ({
    ...part,
    text: part.kind === 'comment' ? part.text.replace(/^\/\/|^\/\*/, '  ') : part.text,
  }));

  function isMessage(value) {
    return path.startsWith('packages/') && /[a-z] [a-z]+ [a-z]/i.test(value);
  }
}

function markdown(source) {
  let start = 0;
  return source.split(/(?<=^|\n)(?=#{1,6} )|(?<=\n#{1,6} [^\n]*\n)/).map((text) => {
    const part = { kind: /^#{1,6} /.test(text) ? 'heading' : 'markdown', start, text };
    start += text.length;
    return part;
  });
}

function hashComments(source) {
  return [...source.matchAll(/^[ \t]*#(?!!).*(\n[ \t]*#.*)*/gm)].map((match) => ({
    kind: 'comment',
    start: match.index,
    text: match[0],
  }));
}
