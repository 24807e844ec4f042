// Holds a source tree against the import table: dependency-cruiser tells who imports whom, the files'
// syntax tells the rest. It reports; test/architecture.test.ts judges.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { cruise, type ICruiseResult, type IDependency } from 'dependency-cruiser'
import { environmentReader, importedOnlyBy, importTable, maxLines, synchronous, withoutClock } from './import-table.ts'
import { readSyntax } from './syntax.ts'

export interface Inspection {
  /** Every source file that was seen, relative to src/. */
  readonly files: readonly string[]
  /** One sentence each, beginning with the file. */
  readonly violations: readonly string[]
}

/** Files that tools wrote. */
const generated = 'store/generated/'

/** Inspects `<root>/src`. Throws where dependency-cruiser saw less than what lies there. */
export async function inspect(root: string): Promise<Inspection> {
  const files = sourceFiles(root)
  const modules = await cruiseModules(root)
  const unseen = files.filter((file) => !modules.has(file))
  // Without a compiler that it understands, dependency-cruiser sees nothing and is content.
  if (modules.size === 0) throw new Error('dependency-cruiser saw no modules at all')
  if (unseen.length > 0) throw new Error(`dependency-cruiser did not see ${unseen.join(', ')}`)
  const violations = [
    ...files.flatMap((file) => importViolations(file, modules.get(file) ?? [])),
    ...findCycles(modules).map((cycle) => `${cycle[0]} is part of a cycle: ${cycle.join(' → ')}`),
    ...files.flatMap((file) => contentViolations(file, readFileSync(join(root, 'src', file), 'utf8'))),
  ]
  return { files, violations: violations.sort() }
}

function sourceFiles(root: string): string[] {
  const all = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  return all.filter((file) => /\.[cm]?[jt]sx?$/.test(file) && !file.startsWith(generated)).sort()
}

async function cruiseModules(root: string): Promise<Map<string, IDependency[]>> {
  const { output } = await cruise(['src'], {
    baseDir: root,
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', `src/${generated}`] },
    enhancedResolveOptions: {
      extensions: ['.ts', '.d.ts', '.js'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  })
  const { modules } = output as ICruiseResult
  const own = modules.filter(
    (module) => module.source.startsWith('src/') && !module.source.startsWith(`src/${generated}`),
  )
  return new Map(own.map((module) => [module.source.slice('src/'.length), module.dependencies]))
}

/** The row of the table that a file belongs to: its first folder, or itself where it lies in src/. */
function rowOf(file: string): string {
  return file.split('/')[0] ?? file
}

function importViolations(file: string, dependencies: readonly IDependency[]): string[] {
  const from = rowOf(file)
  const row = importTable[from]
  if (row === undefined) return [`${file} lies in a folder that the import table does not know`]
  return dependencies.flatMap((dependency) => {
    if (dependency.dependencyTypes.includes('core')) {
      return row.node ? [] : [`${file} imports node:${dependency.resolved}, but ${from} is pure`]
    }
    if (dependency.resolved.startsWith('src/')) {
      const to = dependency.resolved.slice('src/'.length)
      return mayImportOwn(file, to) ? [] : [`${file} imports ${to}, but ${from} may not`]
    }
    // What does not exist is the compiler's to report.
    if (dependency.couldNotResolve && dependency.module.startsWith('.')) return []
    const name = packageOf(dependency.module)
    const allowed =
      row.packages === 'any' ||
      row.packages.some((one) => one === name || (one.endsWith('/*') && name.startsWith(one.slice(0, -1))))
    return allowed ? [] : [`${file} imports the package ${name}, but ${from} may not`]
  })
}

function mayImportOwn(file: string, to: string): boolean {
  const from = rowOf(file)
  const target = rowOf(to)
  if (from === target) return true
  const only = importedOnlyBy[target]
  if (only !== undefined && !only.includes(file)) return false
  const row = importTable[from]
  if (row === undefined) return false
  return [...row.own, ...(row.ownTypes ?? [])].some((one) => one === '*' || one === target || one === to)
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

/** One cycle for each file that closes one: depth first, reporting the way back to a file on the path. */
function findCycles(modules: ReadonlyMap<string, readonly IDependency[]>): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const walk = (file: string, path: string[]): void => {
    const start = path.indexOf(file)
    if (start >= 0) {
      cycles.push([...path.slice(start), file])
      return
    }
    if (done.has(file)) return
    for (const { resolved } of modules.get(file) ?? []) {
      const next = resolved.slice('src/'.length)
      if (resolved.startsWith('src/') && modules.has(next)) walk(next, [...path, file])
    }
    done.add(file)
  }
  for (const file of modules.keys()) walk(file, [])
  return cycles
}

function contentViolations(file: string, text: string): string[] {
  const from = rowOf(file)
  const syntax = readSyntax(text, file)
  const typesOnly = importTable[from]?.ownTypes ?? []
  const asValues = syntax.valueImports.filter((path) => typesOnly.some((folder) => path.includes(`/${folder}/`)))
  const lines = text.split('\n').length - 1
  return [
    /(?:^|\/)index\.[cm]?[jt]sx?$/.test(file) && `${file} is a barrel: import the file that has it`,
    ...asValues.map((path) => `${file} imports ${path}, of which ${from} may only use types`),
    file !== environmentReader &&
      syntax.readsEnvironment &&
      `${file} reads process.env, which only ${environmentReader} may`,
    synchronous.includes(from) &&
      syntax.isAsynchronous &&
      `${file} is asynchronous, but ${from} is pure and synchronous`,
    ...(withoutClock.includes(from)
      ? syntax.impurities.map((call) => `${file} calls ${call}: time, ids and randomness are arguments there`)
      : []),
    lines > maxLines && `${file} has ${lines} lines; ${maxLines} are the limit`,
  ].filter((violation) => violation !== false)
}
