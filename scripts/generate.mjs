// Generates Prisma's client into src/store/generated/ (not in version control), unless the one there
// was made from this very schema by this very Prisma.

import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const output = join(root, 'src', 'store', 'generated')

/** Brings the generated client up to date. Throws with Prisma's own words where it cannot. */
export function generate() {
  const require = createRequire(import.meta.url)
  const prisma = require.resolve('prisma/package.json')
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'prisma', 'schema.prisma')))
    .update(JSON.parse(readFileSync(prisma, 'utf8')).version)
    .digest('hex')
  const stamp = join(output, '.schema-hash')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return

  // Generating makes sure of a native engine that this client does not use, and downloads it where it
  // is missing. Any executable put in its place is never run, and spares the download.
  const env = {
    ...process.env,
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
  }
  const cli = join(dirname(prisma), 'build', 'index.js')
  const run = spawnSync(process.execPath, [cli, 'generate', '--no-hints'], { cwd: root, env, encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`prisma generate failed:\n${run.stdout}${run.stderr}`)
  writeFileSync(stamp, hash)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) generate()
