import { globSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { parseSync, Visitor } from 'vite';
import { describe, expect, test } from 'vitest';

interface Room {
  /** The rooms it may import. */
  readonly may: readonly string[];
  /** The npm packages it may depend on. A heavy one belongs into an adapter, which is named after it. */
  readonly npm?: readonly string[];
  /** Sockets are for `node` and for what calls out; protocols talk through a transport. */
  readonly sockets?: true;
}

/** Stands for a specifier that is not written there: no package has such a name, nor any file. */
const COMPUTED = '@';

const protocol: Room = { may: ['cred', 'sasl', 'conversation', 'users'] };
const belowInversify = {
  core: { may: [] },
  cred: { may: ['core'] },
  conversation: { may: ['core'] },
  sasl: { may: ['cred'] },
  users: { may: ['cred', 'sasl'], npm: ['bcryptjs'] },
  node: { may: ['core', 'conversation'], sockets: true },
  esmtp: { may: ['cred', 'sasl', 'conversation'] },
  pop3: protocol,
  dovecot: protocol,
  http: protocol,
  ldap: { may: ['cred', 'users'], npm: ['ldapts'], sockets: true },
  oidc: { may: ['cred', 'users'], npm: ['jose'] },
  postgres: { may: ['cred', 'users'], npm: ['pg'] },
  redis: { may: ['cred', 'users'], npm: ['ioredis'] },
  maildir: { may: ['cred', 'conversation', 'esmtp'] },
  relay: { may: ['cred', 'sasl', 'conversation', 'node', 'esmtp'] },
  testing: { may: ['cred', 'sasl', 'conversation', 'esmtp'] },
} satisfies Record<string, Room>;
const belowPostern = {
  ...belowInversify,
  inversify: { may: Object.keys(belowInversify), npm: ['inversify'] },
} satisfies Record<string, Room>;
const rooms: Record<string, Room> = {
  ...belowPostern,
  // A door for users, which nothing else goes through.
  submission: { may: ['cred', 'esmtp', 'node'] },
  postern: { may: Object.keys(belowPostern), npm: ['fastest-levenshtein', 'inversify', 'pino'], sockets: true },
};

describe.each(packages())('$room', ({ room, dir, manifest, imports }) => {
  const { may, npm = [], sockets } = rooms[room] ?? { may: [] };

  test('is in the table above', () => {
    expect(Object.keys(rooms)).toContain(room);
  });

  test('comes with the licence, which npm packs with it', () => {
    expect(readFileSync(join(dir, 'LICENSE'), 'utf8')).toBe(readFileSync('LICENSE', 'utf8'));
  });

  test('imports only the rooms it may', () => {
    expect(imports.filter(({ to }) => to !== undefined && !may.includes(to)).map(say)).toEqual([]);
  });

  test('enters another room by its door', () => {
    const deep = imports.filter(({ specifier, to }) => to !== undefined && !doors(to).includes(specifier));
    expect(deep.map(say)).toEqual([]);
  });

  test('imports no file outside its own src', () => {
    const src = join(dir, 'src') + sep;
    const out = imports.filter(
      ({ file, specifier }) => /^[./]/.test(specifier) && !join(dirname(file), specifier).startsWith(src),
    );
    expect(out.map(say)).toEqual([]);
  });

  test('imports nothing in a way that cannot be read', () => {
    // The command imports the operator's config file.
    expect(room === 'postern' ? [] : imports.filter(({ specifier }) => specifier === COMPUTED).map(say)).toEqual([]);
    expect(imports.filter(({ specifier }) => /^(node:)?module$/.test(specifier)).map(say)).toEqual([]);
  });

  test('depends on no npm package but those in the table', () => {
    expect(declared(manifest).filter((name) => roomOf(name) === undefined && !npm.includes(name))).toEqual([]);
  });

  test('declares what it imports, and imports what it declares', () => {
    const used = imports.map(({ specifier }) => packageOf(specifier)).filter((name) => name !== undefined);
    expect(declared(manifest).toSorted()).toEqual([...new Set(used)].toSorted());
  });

  test('declares other rooms at the version they have', () => {
    for (const name of declared(manifest)) {
      const to = roomOf(name);
      if (to !== undefined) expect([name, manifest.dependencies?.[name]]).toEqual([name, manifestOf(to).version]);
    }
  });

  test('is compiled after the rooms it declares', () => {
    const { references } = readJson<{ references: { path: string }[] }>(join(dir, 'tsconfig.json'));
    const rooms = declared(manifest).map(roomOf);
    expect(references.map(({ path }) => path).toSorted()).toEqual(
      rooms.flatMap((to) => (to === undefined ? [] : `../${to}`)).toSorted(),
    );
  });

  test('leaves sockets to the rooms that have them', () => {
    const net = imports.filter(({ specifier }) => /^(node:)?(net|tls|dgram|http|https|http2)$/.test(specifier));
    expect(sockets ? [] : net.map(say)).toEqual([]);
  });
});

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Record<string, unknown>;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

interface Import {
  readonly file: string;
  readonly specifier: string;
  /** The room it leads into, unless it stays in its own or leaves for npm or Node. */
  readonly to: string | undefined;
}

function packages(): { room: string; dir: string; manifest: Manifest; imports: Import[] }[] {
  return readdirSync('packages').map((room) => {
    const dir = join('packages', room);
    const files = globSync(join(dir, 'src/**/*.ts'));
    return { room, dir, manifest: manifestOf(room), imports: files.flatMap(importsOf) };
  });
}

/** Every specifier written in the file: static, dynamic, re-exported, and for types only. */
function importsOf(file: string): Import[] {
  const specifiers: unknown[] = [];
  const { program } = parseSync(file, readFileSync(file, 'utf8'));
  new Visitor({
    ImportDeclaration: (node) => void specifiers.push(node.source.value),
    ExportAllDeclaration: (node) => void specifiers.push(node.source.value),
    ExportNamedDeclaration: (node) => void specifiers.push(node.source?.value),
    ImportExpression: (node) => void specifiers.push('value' in node.source ? node.source.value : COMPUTED),
    TSImportType: (node) => void specifiers.push(node.source.value),
  }).visit(program);
  return specifiers
    .filter((specifier) => typeof specifier === 'string')
    .map((specifier) => ({ file, specifier, to: roomOf(packageOf(specifier) ?? '') }));
}

/** `@scope/name` or `name`, for what npm installs. */
function packageOf(specifier: string): string | undefined {
  return isBuiltin(specifier) ? undefined : /^(@[^/]+\/)?[^@./][^/]*/.exec(specifier)?.[0];
}

function roomOf(name: string): string | undefined {
  return name === 'postern' ? name : /^@postern\/(.*)$/.exec(name)?.[1];
}

function doors(room: string): string[] {
  const { name, exports } = manifestOf(room);
  return Object.keys(exports).map((path) => name + path.slice(1));
}

function declared(manifest: Manifest): string[] {
  return Object.keys({
    ...manifest.dependencies,
    ...manifest.peerDependencies,
    ...manifest.optionalDependencies,
  });
}

function manifestOf(room: string): Manifest {
  return readJson<Manifest>(join('packages', room, 'package.json'));
}

function readJson<T>(file: string): T {
  return JSON.parse(readFileSync(file, 'utf8')) as T;
}

function say({ file, specifier }: Import): string {
  return `${relative('packages', file)} imports ${specifier}`;
}
