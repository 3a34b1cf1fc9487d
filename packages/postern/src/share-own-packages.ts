import { registerHooks } from 'node:module';

/**
 * Makes each later import of one of our packages load the copy in the command's bundle. The config
 * file, and packages such as `@postern/postgres`, must share the classes of the command. A copy in
 * `node_modules` would have classes of its own, which `instanceof` distinguishes. Does nothing
 * outside the bundle.
 */
export function shareOwnPackages(): void {
  if (typeof BUNDLED_PACKAGES === 'undefined') return;
  const files = new Map(BUNDLED_PACKAGES);
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const file = files.get(specifier);
      if (file === undefined) return nextResolve(specifier, context);
      return { url: new URL(file, import.meta.url).href, format: 'module', shortCircuit: true };
    },
  });
}

/** The packages in the bundle, and their files. tools/bundle.mjs defines the constant. */
declare const BUNDLED_PACKAGES: readonly (readonly [name: string, file: string])[] | undefined;
