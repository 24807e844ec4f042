// One project per folder of test/, so that a kind of test can be run by itself: vitest run --project
// store. Folders are found, not listed: a new one cannot be forgotten.

import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Pure by rule: they start in no time because they wait for no server. */
const withoutServices = new Set(['unit', 'architecture', 'embedded'])
const folders = readdirSync('test', { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'support')
  .map((entry) => ({ name: entry.name, include: [`test/${entry.name}/**/*.test.ts`] }))

export default defineConfig({
  test: {
    // The database server has to run beside the workers; below two, files would wait for one another's waits.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    projects: [{ name: 'architecture', include: ['test/*.test.ts'] }, ...folders].map(({ name, include }) => ({
      extends: true as const,
      test: {
        name,
        include,
        setupFiles: ['test/support/loopback-only.ts'],
        globalSetup: withoutServices.has(name) ? [] : ['test/support/global-setup.ts'],
        testTimeout: 30_000,
        hookTimeout: 60_000,
      },
    })),
  },
})
