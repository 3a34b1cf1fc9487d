import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Packages are tested from source. Only this one counts; `resolve.conditions` would run a stale dist.
  ssr: { resolve: { conditions: ['postern-source'] } },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/fuzz.ts'],
    // Most tests wait for a socket and not for a core.
    maxWorkers: '100%',
    // They end a test that hangs, and nothing else: no machine is so slow, whatever else it has to do.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
    coverage: { include: ['packages/*/src/**/*.ts'] },
  },
});
