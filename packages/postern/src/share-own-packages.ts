import { registerHooks } from 'node:module';

/**
 * Makes each later import of one of our packages, by its name or by its file, load the copy in the
 * command's bundle. The config file, and packages such as `@postern/postgres`, must share the
 * classes of the command. A copy in `node_modules` would have classes of its own, which
 * `instanceof` distinguishes. Does nothing outside the bundle.
 */
export function shareOwnPackages(): void {
  if (typeof BUNDLED_PACKAGES === 'undefined') return;
  const files = new Map(BUNDLED_PACKAGES);
  let filesByUrl: ReadonlyMap<string, string> | undefined;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const file = files.get(specifier);
      if (file !== undefined) return bundled(file);
      const resolved = nextResolve(specifier, context);
      // A start without a config file resolves no file of our packages.
      if (!resolved.url.includes('/dist/')) return resolved;
      filesByUrl ??= new Map(
        [...files].flatMap(([name, file]) => {
          const url = urlOf(() => nextResolve(name, { ...context, parentURL: import.meta.url }).url);
          return url === undefined ? [] : [[url, file]];
        }),
      );
      const own = filesByUrl.get(resolved.url);
      return own === undefined ? resolved : bundled(own);
    },
  });
}

function bundled(file: string): { readonly url: string; readonly format: 'module'; readonly shortCircuit: true } {
  return { url: new URL(file, import.meta.url).href, format: 'module', shortCircuit: true };
}

/** Returns undefined for a package that is not installed beside the command. */
function urlOf(resolve: () => string): string | undefined {
  try {
    return resolve();
  } catch {
    return undefined;
  }
}

/** The packages in the bundle, and their files. tools/bundle.mjs defines the constant. */
declare const BUNDLED_PACKAGES: readonly (readonly [name: string, file: string])[] | undefined;
