import { configDefaults, defineConfig } from 'vitest/config';

/**
 * Slow campaigns, each with a command of its own, such as `npm run interop`. CI runs them, `npm
 * test` does not.
 */
const campaigns = {
  interop: ['test/interop/**/*.test.ts'],
  kill: ['test/**/*kill.test.ts'],
  memory: ['test/postern/memory.test.ts', 'test/postern/allocations.test.ts'],
  packed: ['test/packages/packed.test.ts'],
};

/** Reads snapshots of the heap, which are large in a process that has run other files. */
const isolated = ['test/esmtp/session/secrets.test.ts'];

export default defineConfig({
  // Packages are tested from source. `resolve.conditions` alone would run a stale dist.
  ssr: { resolve: { conditions: ['postern-source'] } },
  test: {
    setupFiles: ['test/support/fuzz.ts'],
    // The command must not find a `postern.db` that `npm start` has left here.
    env: { POSTERN_DB: 'sqlite:/nonexistent/postern.db' },
    // Most tests wait for a socket and not for a core.
    maxWorkers: '100%',
    // These timeouts only end a test that hangs; they leave room for a slow and busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    coverage: { include: ['packages/*/src/**/*.ts'] },
    // Modules have no mutable state, so the files of a worker share them: a third of the time.
    isolate: false,
    projects: [
      {
        extends: true,
        test: {
          name: 'test:shared',
          include: ['test/**/*.test.ts'],
          exclude: [...configDefaults.exclude, ...isolated, ...Object.values(campaigns).flat()],
        },
      },
      { extends: true, test: { name: 'test:isolated', include: isolated, isolate: true } },
      ...Object.entries(campaigns).map(([name, include]) => ({
        extends: true as const,
        test: { name, include },
      })),
    ],
  },
});
