// Does what a newcomer does: `npm start` in a fresh copy of the working tree, with nothing configured,
// the curl line that it prints, Ctrl-C, a second start. Prints `ok` or `not ok` for each expectation,
// and with `--out FILE` the counts as JSON. Needs `npm ci` and nothing else; touches no .data/ of yours.
//
//   node scripts/smoke.mjs [--demo] [--out FILE]

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, stripVTControlCharacters } from 'node:util'

const { values: flags } = parseArgs({ options: { demo: { type: 'boolean', default: false }, out: { type: 'string' } } })
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const startTimeoutMs = 180_000
const stopTimeoutMs = 15_000
const counts = { passed: 0, failed: 0 }
const groups = new Set()

const folder = copyTree()
try {
  await play()
} catch (error) {
  expect(`the run ended: ${error.message}`, false)
} finally {
  for (const group of groups) signal(group, 'SIGKILL')
  await waitFor(() => !serverRuns(), stopTimeoutMs)
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  if (flags.out !== undefined) writeFileSync(flags.out, JSON.stringify(counts))
  process.exitCode = counts.failed === 0 ? 0 : 1
}

async function play() {
  const port = await freePort()
  const args = flags.demo ? ['start'] : ['start', '--', '--no-demo']
  const first = start(args, port)
  const curl = await curlLine(first)
  if (!expect(`"npm ${args.join(' ')}" prints a ready-made curl line`, curl !== undefined, first.text())) return
  const answer = run(curl)
  expect('the curl line works as it stands', answer.status === 0 && answer.stdout.includes('"schemas"'), answer.stderr)
  expect('it is answered with 200', statusOf(curl) === '200', `${statusOf(curl)} ${answer.stdout}`)
  if (flags.demo) {
    expect('the demonstration ends with the seats of its organizations', /seats/i.test(first.text()), first.text())
  } else {
    const found = /"totalResults":\s*(\d+)/.exec(answer.stdout)?.[1] ?? '0'
    expect('"--no-demo" makes a directory without anyone in it', found === '0', answer.stdout)
  }

  const second = start(args, port)
  const refused = await second.exited(startTimeoutMs)
  expect('a second start beside it ends with an error', refused !== undefined && refused !== 0, second.text())
  expect('and says why without a stack trace', !/^ +at .+:\d+:\d+/m.test(second.text()), second.text())
  expect('which does not disturb the first', statusOf(curl) === '200')

  await expectStop(first)

  const again = start(args, port)
  const newCurl = await curlLine(again)
  expect('it starts again on the same data', newCurl !== undefined && statusOf(newCurl) === '200', again.text())
  expect('the token of the first start still works', statusOf(curl) === '200')
  await expectStop(again)
}

async function expectStop(started) {
  signal(started.group, 'SIGINT') // what a terminal sends on Ctrl-C: to the whole group
  const code = await started.exited(stopTimeoutMs)
  expect('Ctrl-C ends it within seconds', code !== undefined, started.text())
  expect('without an error', code === 0 || code === 130 || code === 'SIGINT', `${code}\n${started.text()}`)
  expect('and without a trace of one', !/unhandled|^ +at .+:\d+:\d+/im.test(started.text()), started.text())
  expect('and leaves no database server behind', await waitFor(() => !serverRuns(), 2_000))
}

/** The files of the working tree, the ignored ones excepted; dependencies are shared. */
function copyTree() {
  const copy = mkdtempSync(join(tmpdir(), 'rollcall-smoke-'))
  chmodSync(copy, 0o755) // as root the database server runs as another user, who has to get in
  const listed = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const files = execFileSync('git', listed, { cwd: root, encoding: 'utf8' }).split('\0')
  const present = files.filter((file) => file !== '' && file !== 'node_modules' && existsSync(join(root, file)))
  for (const file of present) cpSync(join(root, file), join(copy, file))
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

function start(args, port) {
  // Only what a fresh shell has: settings of this machine must not help.
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, PORT: String(port) }
  const child = spawn('npm', args, { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  groups.add(child.pid)
  let said = ''
  for (const output of [child.stdout, child.stderr]) output.setEncoding('utf8').on('data', (text) => (said += text))
  let ended
  child.once('close', (code, by) => {
    ended = code ?? by
    groups.delete(child.pid)
  })
  return {
    group: child.pid,
    text: () => stripVTControlCharacters(said),
    hasEnded: () => ended !== undefined,
    exited: async (timeoutMs) => {
      await waitFor(() => ended !== undefined, timeoutMs)
      return ended
    },
  }
}

/** The last line that begins with `curl `, with the lines that a backslash joins to it. */
async function curlLine(started) {
  const find = () => /(?:^|\n)\s*(curl (?:.*\\\n)*.*)\n(?![\s\S]*\n\s*curl )/.exec(started.text())?.[1]
  await waitFor(() => find() !== undefined || started.hasEnded(), startTimeoutMs)
  return started.hasEnded() ? undefined : find()
}

function run(line) {
  return spawnSync('bash', ['-c', line], { encoding: 'utf8', timeout: 20_000 })
}

function statusOf(curl) {
  return run(`${curl} --silent --output /dev/null --write-out '%{http_code}'`).stdout.trim()
}

function serverRuns() {
  const pidFile = join(folder, '.data', 'postgres', 'postmaster.pid')
  if (!existsSync(pidFile)) return false
  try {
    process.kill(Number(readFileSync(pidFile, 'utf8').split('\n')[0]), 0)
    return true
  } catch {
    return false
  }
}

function signal(group, name) {
  try {
    process.kill(-group, name)
  } catch {
    // It has ended by itself.
  }
}

async function waitFor(condition, timeoutMs) {
  const end = Date.now() + timeoutMs
  while (!condition() && Date.now() < end) await new Promise((wake) => setTimeout(wake, 50))
  return condition()
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => done(port))
    })
  })
}

function expect(what, holds, shown = '') {
  counts[holds ? 'passed' : 'failed'] += 1
  console.log(`${holds ? 'ok    ' : 'not ok'} ${what}`)
  if (!holds && shown) console.log(shown.trim().replace(/^/gm, '       | '))
  return holds
}
