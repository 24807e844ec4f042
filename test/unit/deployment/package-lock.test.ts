import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../../..')
const folder = mkdtempSync(join(tmpdir(), 'rollcall-lock-'))
afterAll(() => rmSync(folder, { recursive: true }))

function check(file: string) {
  return spawnSync(process.execPath, [join(root, 'scripts/complete-lock.mjs'), '--check', file], { encoding: 'utf8' })
}

it('package-lock.json holds the native packages of every platform, without which npm ci refuses it', () => {
  const { status, stderr } = check(join(root, 'package-lock.json'))
  expect(stderr).toBe('')
  expect(status).toBe(0)
})

it('a lock without one of them is noticed, and completed', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const removed = 'node_modules/@biomejs/cli-android-arm64'
  const before = lock.packages[removed]
  delete lock.packages[removed]
  const file = join(folder, 'package-lock.json')
  writeFileSync(file, JSON.stringify(lock))
  const { status, stderr } = check(file)
  expect(stderr).toMatch(/^package-lock\.json lacks @biomejs\/cli-android-arm64@/)
  expect(status).toBe(1)
  spawnSync(process.execPath, [join(root, 'scripts/complete-lock.mjs'), file])
  expect(JSON.parse(readFileSync(file, 'utf8')).packages[removed]).toMatchObject({
    version: before.version,
    os: ['android'],
    cpu: ['arm64'],
  })
  expect(check(file).status).toBe(0)
})
