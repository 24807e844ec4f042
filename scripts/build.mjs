// Builds src/ into dist/. Run again it only does what changed, in a fraction of a second, so that
// `npm start` can build before every start. `--clean` begins with an empty dist/.

import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generate } from './generate.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
if (process.argv.includes('--clean')) rmSync(join(root, 'dist'), { recursive: true, force: true })

try {
  generate()
} catch (error) {
  console.error(error.message)
  process.exit(1)
}
const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'))
const tsc = [join(typescript, 'bin', 'tsc'), '-p', join(root, 'tsconfig.build.json')]
process.exitCode = spawnSync(process.execPath, tsc, { stdio: 'inherit' }).status ?? 1
