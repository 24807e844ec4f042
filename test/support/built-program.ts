// The program as it is shipped, built from src/ into a folder of its own: once for each test file that
// starts processes of it, so that nobody's dist/ is touched and a change of src/ in between cannot
// mix two versions. Types are not checked here; that is `npm run check`.

import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll } from 'vitest'

const root = join(import.meta.dirname, '..', '..')
let built: Promise<string> | undefined

/** The path of the built main.js. */
export function builtProgram(): Promise<string> {
  built ??= build()
  return built
}

afterAll(async () => {
  if (built !== undefined) await rm(dirname(dirname(await built)), { recursive: true, force: true })
})

async function build(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'rollcall-built-'))
  await cp(join(root, 'package.json'), join(folder, 'package.json'))
  for (const shared of ['node_modules', 'prisma']) await symlink(join(root, shared), join(folder, shared))
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc')
  const options = ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')]
  await promisify(execFile)(process.execPath, [compiler, ...options, '--incremental', 'false', '--noCheck'])
  return join(folder, 'dist', 'main.js')
}
