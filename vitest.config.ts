import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Packages are tested from source. Only this one counts; `resolve.conditions` would run a stale dist.
  ssr: { resolve: { conditions: ['postern-source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/fuzz.ts'],
    // Most tests wait for a socket and not for a core.
    maxWorkers: '100%',
    // A socket that never answers should fail a test soon, and a loaded machine should not.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    coverage: { include: ['packages/*/src/**/*.ts'] },
  },
});
