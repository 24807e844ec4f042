// Lets Node run TypeScript files as they stand, for the tools of this repository that are not part of
// the build: node --import ./scripts/typescript-loader.mjs scripts/schema-diff.ts

import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { fileURLToPath } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { transform } from '@swc/core'

// Node 20 loads this file a second time for the hooks, on a thread of their own.
if (isMainThread) register(import.meta.url)

const options = { jsc: { parser: { syntax: 'typescript' }, target: 'es2022' }, sourceMaps: 'inline' }

export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context)
  const filename = fileURLToPath(url)
  const { code } = await transform(await readFile(filename, 'utf8'), { ...options, filename })
  return { format: 'module', shortCircuit: true, source: code }
}
