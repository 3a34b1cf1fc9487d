import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { TemporaryFolder } from './temporary-folder.ts';

/** A built copy of a revision of this repository, in a temporary folder. */
export interface Revision extends Disposable {
  readonly root: string;
  /** The abbreviated commit. */
  readonly commit: string;
}

/** The root of this repository. */
export const ROOT = join(import.meta.dirname, '..');

/**
 * Returns the commit that a revision names; for `auto` the merge base with `origin/main`, or the
 * first parent if `origin/main` holds the current commit. Returns undefined if this repository does
 * not have the commit, as in a shallow clone.
 */
export function resolveRevision(name: string): string | undefined {
  if (name !== 'auto') return revParse(name);
  const base = git('merge-base', 'HEAD', 'origin/main');
  return base === undefined || base === revParse('HEAD') ? revParse('HEAD~1') : base;
}

/**
 * Copies a commit into a temporary folder and builds it there by its own `npm run build`. The copy
 * uses the npm packages that are installed here, or installs its own where they differ.
 */
export function buildRevision(commit: string): Revision {
  const folder = new TemporaryFolder();
  const root = join(folder.path, 'postern');
  try {
    run(ROOT, 'git', ['clone', '--quiet', '--no-checkout', '--shared', ROOT, root]);
    run(root, 'git', ['checkout', '--quiet', '--detach', commit]);
    if (hasPackagesOf(root)) linkPackages(root);
    else run(root, 'npm', ['ci', '--no-audit', '--no-fund', '--silent']);
    run(root, 'npm', ['run', 'build', '--silent']);
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
  return { root, commit: commit.slice(0, 7), [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

/** Returns whether the installed npm packages are those of the lock file in `root`. */
function hasPackagesOf(root: string): boolean {
  const installed = lockedPackages(join(ROOT, 'node_modules/.package-lock.json'));
  return Object.entries(lockedPackages(join(root, 'package-lock.json'))).every(
    ([path, { version, link, optional }]) =>
      !path.includes('node_modules/') || link || optional || installed[path]?.version === version,
  );
}

type LockedPackages = Readonly<Record<string, { version?: string; link?: boolean; optional?: boolean }>>;

function lockedPackages(file: string): LockedPackages {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as { packages: LockedPackages }).packages : {};
}

/**
 * Fills `node_modules` of the copy: its own packages from its own folders, and npm's from here.
 */
function linkPackages(root: string): void {
  const modules = join(root, 'node_modules');
  for (const folder of readdirSync(join(root, 'packages'))) {
    const manifest = join(root, 'packages', folder, 'package.json');
    const { name } = JSON.parse(readFileSync(manifest, 'utf8')) as { name: string };
    link(dirname(manifest), join(modules, name));
  }
  const here = join(ROOT, 'node_modules');
  for (const name of readdirSync(here)) {
    // Links are the packages of this copy: `@postern` has nothing else.
    if (name.startsWith('.') || name === '@postern') continue;
    const path = join(here, name);
    if (!lstatSync(path).isSymbolicLink() && !existsSync(join(modules, name))) link(path, join(modules, name));
  }
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path);
}

function revParse(name: string): string | undefined {
  return git('rev-parse', '--verify', '--quiet', `${name}^{commit}`);
}

/** Returns what git prints, or undefined if it fails. */
function git(...args: readonly string[]): string | undefined {
  const { status, stdout } = spawnSync('git', ['-C', ROOT, ...args], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

/** @throws Error with what the command printed. */
function run(folder: string, command: string, args: readonly string[]): void {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  if (status === 0) return;
  const output = [error?.message, stdout, stderr].filter(Boolean).join('\n').trim();
  throw new Error(`${command} ${args.join(' ')} failed in a copy of the revision: ${output}`);
}
