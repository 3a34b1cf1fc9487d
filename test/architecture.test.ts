import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import { parseSync, Visitor } from 'vite';
import { describe, expect, test } from 'vitest';

interface Room {
  /** The rooms it may import. */
  readonly may: readonly string[];
  /** The npm packages it may depend on. An adapter has the name of its heavy dependency. */
  readonly npm?: readonly string[];
  /** Sockets are for `node` and for what calls out; protocols talk through a transport. */
  readonly sockets?: true;
  /**
   * Modules of Node that have sockets and that the room imports for another part of them. `http`
   * has `node:http` parse requests on a conversation, and opens no socket.
   */
  readonly parsers?: readonly string[];
}

/** Stands for a specifier that is not written there: no package has such a name, nor any file. */
const COMPUTED = '@';

/** What `users` imports in the bundle of the command, outside the folder of `users`. */
const BUNDLED = ['@node-rs/argon2'];

/** A protocol with AUTH: its SASL profile, over a conversation. */
const protocol: Room = { may: ['core', 'cred', 'sasl', 'sasl-profile', 'conversation'] };
const protocols = {
  esmtp: protocol,
  pop3: protocol,
  imap: protocol,
  managesieve: protocol,
  'dovecot-auth': protocol,
  http: { ...protocol, parsers: ['node:http', 'node:net', 'node:tls'] },
};
const belowInversify = {
  core: { may: [] },
  cred: { may: ['core'] },
  conversation: { may: ['core'] },
  node: { may: ['core', 'conversation'], sockets: true },
  sasl: { may: ['core', 'cred'] },
  'sasl-profile': { may: ['core', 'cred', 'sasl', 'conversation'] },
  throttle: { may: ['core', 'cred'] },

  ...protocols,

  users: { may: ['core', 'cred', 'sasl'], npm: ['@node-rs/argon2', 'bcryptjs'] },
  postgres: { may: ['core', 'cred', 'users'], npm: ['pg'] },
  ldap: { may: ['core', 'cred', 'users'], npm: ['ldapts'], sockets: true },
  oidc: { may: ['core', 'cred', 'users'], npm: ['jose'] },
  crypt: { may: ['core', 'users'], npm: ['koffi'] },
  redis: { may: ['core', 'cred', 'throttle', 'users'], npm: ['ioredis'] },
  certificates: { may: ['core', 'cred', 'users'] },
  pam: { may: ['core', 'cred', 'users'], npm: ['koffi'] },
  gssapi: { may: ['core', 'cred', 'sasl'], npm: ['koffi'] },

  maildir: { may: ['core', 'cred', 'conversation', 'esmtp', 'pop3'] },
  relay: { may: ['core', 'cred', 'sasl', 'conversation', 'node', 'esmtp'] },

  testing: {
    may: ['core', 'cred', 'sasl', 'sasl-profile', 'throttle', 'users', 'conversation', ...Object.keys(protocols)],
  },

  // They listen on diagnostics channels, and import no room that publishes there.
  otel: { may: ['core'], npm: ['@opentelemetry/api'] },
  prometheus: { may: ['core'], npm: ['prom-client'] },
  inspector: { may: ['core'] },
} satisfies Record<string, Room>;
const belowPostern = {
  ...belowInversify,
  inversify: { may: Object.keys(belowInversify), npm: ['inversify'] },
} satisfies Record<string, Room>;
const rooms: Record<string, Room> = {
  ...belowPostern,
  // A door for users. No other room imports it.
  submission: { may: ['core', 'cred', 'throttle', 'esmtp', 'node'] },
  postern: {
    may: Object.keys(belowInversify),
    npm: ['fastest-levenshtein', 'pino', 'uqr', 'valibot', ...BUNDLED],
    sockets: true,
  },
};

describe.each(packages())('$room', ({ room, dir, manifest, imports }) => {
  const { may, npm = [], parsers = [], sockets } = rooms[room] ?? { may: [] };

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

  test('has no cycle of files, imports of types included', () => {
    expect(cycles(imports)).toEqual([]);
  });

  test('imports nothing in a way that cannot be read', () => {
    // The command imports the operator's config file.
    expect(room === 'postern' ? [] : imports.filter(({ specifier }) => specifier === COMPUTED).map(say)).toEqual([]);
    // The command makes config files share the classes of its bundle.
    const others = imports.filter(({ file }) => !file.endsWith('share-own-packages.ts'));
    expect(others.filter(({ specifier }) => /^(node:)?module$/.test(specifier)).map(say)).toEqual([]);
  });

  test('depends on no npm package but those in the table', () => {
    expect(declared(manifest).filter((name) => roomOf(name) === undefined && !npm.includes(name))).toEqual([]);
  });

  test('declares what it imports, and imports what it declares', () => {
    const used = imports.map(({ specifier }) => packageOf(specifier)).filter((name) => name !== undefined);
    const bundled = room === 'postern' ? BUNDLED : [];
    expect(declared(manifest).toSorted()).toEqual([...new Set([...used, ...bundled])].toSorted());
  });

  test('declares other rooms at the version they have', () => {
    for (const name of declared(manifest)) {
      const to = roomOf(name);
      const version = manifest.dependencies?.[name] ?? manifest.peerDependencies?.[name];
      if (to !== undefined) expect([name, version]).toEqual([name, manifestOf(to).version]);
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
    const others = net.filter(({ specifier }) => !parsers.includes(specifier));
    expect(sockets ? [] : others.map(say)).toEqual([]);
  });
});

/** The files for the same job, which a newcomer finds in each protocol under the same name. */
const SAME_FILES = [
  'error-replies.ts',
  'events.ts',
  'log/log-to.ts',
  'protocol/command.ts',
  'protocol/limits.ts',
  'session/dispatch.ts',
  'session/session.ts',
  'session/settings.ts',
  'session/state.ts',
];

test.each(['esmtp', 'imap', 'pop3'])('the protocol %s has the files of each protocol', (room) => {
  const src = join('packages', room, 'src');
  const missing = [`${room}.ts`, ...SAME_FILES].filter((file) => !existsSync(join(src, file)));
  expect(missing).toEqual([]);
});

test('a cycle is found and named by its files', () => {
  const edge = (file: string, specifier: string): Import => ({ file, specifier, to: undefined });
  expect(cycles([edge('a.ts', './b.ts'), edge('b.ts', './c/d.ts')])).toEqual([]);
  const cycle = [
    edge('a.ts', './b.ts'),
    edge('b.ts', './c/d.ts'),
    edge('c/d.ts', '../b.ts'),
    edge('c/d.ts', '../a.ts'),
  ];
  expect(cycles(cycle)).toEqual(['a.ts -> b.ts -> c/d.ts -> a.ts', 'b.ts -> c/d.ts -> b.ts']);
  expect(cycles([edge('a.ts', './a.ts')])).toEqual(['a.ts -> a.ts']);
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
  /** The imported room, unless the specifier names a file, an npm package or a part of Node. */
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

/** Returns the shortest cycle through each file, each cycle once: `a.ts -> b.ts -> a.ts`. */
function cycles(imports: readonly Import[]): string[] {
  const edges = new Map<string, string[]>();
  for (const { file, specifier } of imports) {
    if (!specifier.startsWith('.')) continue;
    edges.set(file, [...(edges.get(file) ?? []), join(dirname(file), specifier)]);
  }
  const found = new Map<string, string>();
  for (const file of [...edges.keys()].toSorted()) {
    const cycle = shortestCycle(file, edges);
    const members = cycle?.toSorted().join();
    if (cycle && members && !found.has(members)) found.set(members, [...cycle, file].join(' -> '));
  }
  return [...found.values()];
}

/** Returns the files on the shortest path from the file back to itself, each once. */
function shortestCycle(file: string, edges: ReadonlyMap<string, string[]>): string[] | undefined {
  const seen = new Set<string>();
  const paths = [[file]];
  for (const path of paths) {
    for (const next of edges.get(path.at(-1) ?? '') ?? []) {
      if (next === file) return path;
      if (seen.has(next)) continue;
      seen.add(next);
      paths.push([...path, next]);
    }
  }
  return undefined;
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
