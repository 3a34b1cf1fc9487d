import { parseSync, Visitor } from 'vite';

/** One change of a source file. */
export interface Mutant {
  /** The path, from the root of the workspace. */
  readonly file: string;
  /** Where the replaced text starts and ends, in UTF-16 code units. */
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** The scope around it: a name by which tests report what they have run. */
  readonly scope: string;
}

/** The mutants of one file, and the source that reports each scope that runs. */
export interface Mutations {
  readonly mutants: readonly Mutant[];
  readonly instrumented: string;
}

/**
 * Returns the mutants of a TypeScript file: other operators, constants, conditions and returned
 * values, and removed statements. Types, imports and messages of errors are left as they are.
 */
export function mutationsOf(file: string, source: string): Mutations {
  const mutants: Mutant[] = [];
  const insertions: { readonly at: number; readonly text: string }[] = [];
  const scopes = [`${file}:0`];
  let skipped = 0;

  const textOf = ({ start, end }: Span): string => source.slice(start, end);
  const add = (span: Span, replacement: string): void => {
    if (skipped > 0 || textOf(span) === replacement) return;
    mutants.push({ file, start: span.start, end: span.end, replacement, scope: scopes.at(-1) ?? '' });
  };
  const report = (scope: string): string => `globalThis.reportScope?.(${JSON.stringify(scope)})`;
  const enter = (body: (Span & { readonly type: string }) | null): void => {
    const scope = `${file}:${insertions.length + 1}`;
    scopes.push(scope);
    if (body === null) return;
    const isBlock = body.type === 'BlockStatement' || body.type === 'FunctionBody';
    insertions.push({
      at: isBlock ? body.start + 1 : body.start,
      text: isBlock ? `${report(scope)};` : `(${report(scope)},`,
    });
    if (!isBlock) insertions.push({ at: body.end, text: ')' });
  };
  const leave = (): void => void scopes.pop();
  const skip = (): void => void skipped++;
  const unskip = (): void => void skipped--;

  new Visitor({
    FunctionDeclaration: ({ body }) => enter(body),
    'FunctionDeclaration:exit': leave,
    FunctionExpression: ({ body }) => enter(body),
    'FunctionExpression:exit': leave,
    ArrowFunctionExpression: ({ body }) => enter(body),
    'ArrowFunctionExpression:exit': leave,

    ImportDeclaration: skip,
    'ImportDeclaration:exit': unskip,
    ExportAllDeclaration: skip,
    'ExportAllDeclaration:exit': unskip,
    TSTypeAnnotation: skip,
    'TSTypeAnnotation:exit': unskip,
    TSTypeParameterInstantiation: skip,
    'TSTypeParameterInstantiation:exit': unskip,
    TSInterfaceDeclaration: skip,
    'TSInterfaceDeclaration:exit': unskip,
    TSTypeAliasDeclaration: skip,
    'TSTypeAliasDeclaration:exit': unskip,
    // The words of an error, and of the calls that make them, are no behaviour worth a test each.
    NewExpression: ({ callee }) => (/Error$|Failure$|Login$/.test(textOf(callee)) ? skip() : undefined),
    'NewExpression:exit': ({ callee }) => (/Error$|Failure$|Login$/.test(textOf(callee)) ? unskip() : undefined),

    BinaryExpression: ({ left, right, operator }) => {
      const other = OTHER_OPERATOR.get(operator);
      const between = source.slice(left.end, right.start);
      if (other) add({ start: left.end, end: right.start }, between.replace(operator, other));
    },
    LogicalExpression: ({ left, right, operator }) => {
      const span = { start: left.end, end: right.start };
      if (operator !== '??') add(span, textOf(span).replace(operator, operator === '&&' ? '||' : '&&'));
      else add({ start: left.start, end: right.end }, textOf(left));
    },
    AssignmentExpression: ({ left, right, operator }) => {
      const other = OTHER_OPERATOR.get(operator.slice(0, -1));
      const span = { start: left.end, end: right.start };
      if (other && operator.length > 1) add(span, textOf(span).replace(operator, `${other}=`));
    },
    UpdateExpression: (node) => add(node, textOf(node).replace(node.operator, node.operator === '++' ? '--' : '++')),
    UnaryExpression: (node) => {
      if (node.operator === '!') add(node, textOf(node.argument));
      if (node.operator === '-') add(node, textOf(node.argument));
    },
    ConditionalExpression: ({ test }) => conditions(test),
    IfStatement: ({ test }) => conditions(test),
    WhileStatement: ({ test }) => add(test, 'false'),
    ForStatement: ({ test }) => test && add(test, 'false'),
    Literal: (node) => {
      if (typeof node.value === 'boolean') add(node, String(!node.value));
      if (typeof node.value === 'number') add(node, String(node.value + 1));
      // Words with a blank between them are text for people.
      if (typeof node.value === 'string' && !node.value.includes(' ')) add(node, node.value === '' ? "'mutant'" : "''");
    },
    ReturnStatement: ({ argument }) => argument && add(argument, 'undefined'),
    ExpressionStatement: (node) => {
      if (!('directive' in node && node.directive) && !textOf(node).startsWith('super')) add(node, ';');
    },
    ThrowStatement: (node) => add(node, ';'),
    CallExpression: ({ callee }) => {
      const other = OTHER_FUNCTION.get(textOf(callee));
      if (other) add(callee, other);
    },
  }).visit(parseSync(file, source).program);

  return { mutants, instrumented: `${report(`${file}:0`)};${withInsertions(source, insertions)}` };

  function conditions(test: Span): void {
    add(test, 'true');
    add(test, 'false');
  }
}

/** Returns the source with the mutant's change. */
export function mutated(source: string, { start, end, replacement }: Mutant): string {
  return source.slice(0, start) + replacement + source.slice(end);
}

function withInsertions(source: string, insertions: readonly { at: number; text: string }[]): string {
  let result = source;
  for (const { at, text } of insertions.toSorted((a, b) => b.at - a.at))
    result = result.slice(0, at) + text + result.slice(at);
  return result;
}

interface Span {
  readonly start: number;
  readonly end: number;
}

const OTHER_OPERATOR: ReadonlyMap<string, string> = new Map([
  ['<', '<='],
  ['<=', '<'],
  ['>', '>='],
  ['>=', '>'],
  ['===', '!=='],
  ['!==', '==='],
  ['+', '-'],
  ['-', '+'],
  ['*', '/'],
  ['/', '*'],
  ['%', '*'],
  ['&', '|'],
  ['|', '&'],
  ['^', '&'],
  ['<<', '>>'],
  ['>>', '<<'],
  ['>>>', '<<'],
]);
const OTHER_FUNCTION: ReadonlyMap<string, string> = new Map([
  ['Math.min', 'Math.max'],
  ['Math.max', 'Math.min'],
  ['Math.floor', 'Math.ceil'],
  ['Math.ceil', 'Math.floor'],
]);
