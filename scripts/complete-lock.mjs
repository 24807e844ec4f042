// Completes package-lock.json after `npm install`. Native packages come as one optional package per
// platform, and a registry mirror may lack those of other platforms. npm then leaves them out of the
// lock without a word, and from that moment `npm ci` refuses it on every platform. What is left out
// is named exactly by its parent, so it can be written down: version and platform, without a checksum.
//
//   node scripts/complete-lock.mjs [--check] [FILE]
//
// With --check it only tells, and fails where something is missing.

import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const [file] = process.argv.slice(2).filter((argument) => argument !== '--check')
const path = file ?? join(dirname(dirname(fileURLToPath(import.meta.url))), 'package-lock.json')
const lock = JSON.parse(readFileSync(path, 'utf8'))
const missing = Object.entries(lock.packages).flatMap(([parent, { optionalDependencies = {}, dev, engines }]) =>
  Object.entries(optionalDependencies)
    .filter(([name]) => !isLocked(parent, name))
    .map(([name, version]) => ({ name, version, dev, engines })),
)

if (process.argv.includes('--check')) {
  for (const { name, version } of missing) console.error(`package-lock.json lacks ${name}@${version}`)
  process.exitCode = missing.length === 0 ? 0 : 1
} else {
  for (const one of missing) lock.packages[`node_modules/${one.name}`] = entry(one)
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => a.localeCompare(b, 'en'))
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, null, 2)}\n`)
  console.log(`Added ${missing.length} packages of other platforms to package-lock.json`)
}

/** Whether a package finds another one the way Node looks for it: beside itself, then further out. */
function isLocked(parent, name) {
  for (let at = parent; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
    if (lock.packages[at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`]) return true
    if (at === '') return false
    if (!at.includes('/node_modules/')) return lock.packages[`node_modules/${name}`] !== undefined
  }
}

function entry({ name, version, dev, engines }) {
  if (!/^\d+\.\d+\.\d+[\w.-]*$/.test(version)) throw new Error(`${name}@${version} is no exact version; add it by hand`)
  const os = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'].find((one) => name.includes(one))
  const cpu = ['arm64', 'ia32', 'ppc64', 'riscv64', 's390x', 'x64', 'arm'].find((one) => name.includes(`-${one}`))
  if (os === undefined || cpu === undefined) throw new Error(`${name} does not name its platform; add it by hand`)
  const libc = name.includes('musl') ? ['musl'] : name.includes('gnu') ? ['glibc'] : undefined
  return {
    version,
    cpu: [cpu],
    ...(dev && { dev }),
    ...(libc && { libc }),
    optional: true,
    os: [os],
    ...(engines && { engines }),
  }
}
