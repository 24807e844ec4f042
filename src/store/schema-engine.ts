// Loads Prisma's schema engine from its WebAssembly package: the engine behind `prisma migrate`,
// without the native binary that Prisma would download. What the package leaves to its user (joining
// its JavaScript with its WebAssembly) is done here and nowhere else. migrate.ts drives it.

import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  DriverAdapterError,
  type SqlDriverAdapter,
} from '@prisma/driver-adapter-utils'
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg'
import pg from 'pg'

// Neither the es2023 library nor Node's own types declare it.
declare const WebAssembly: {
  compile(bytes: Uint8Array): Promise<object>
  instantiate(module: object, imports: object): Promise<{ exports: Record<string, unknown> }>
}

// Type numbers of pg_type.
const internalChar = 18
const text = 25

let loading: Promise<void> | undefined

/**
 * Runs `use` with an engine connected to this database and closes both afterwards. `schema` is the
 * text of schema.prisma; it may be left out for applying migrations.
 */
export async function withSchemaEngine<T>(
  connectionString: string,
  use: (engine: glue.SchemaEngine) => Promise<T>,
  schema?: string,
): Promise<T> {
  loading ??= loadWasm()
  await loading
  const pool = new pg.Pool({ connectionString, max: 2 })
  // A connection that breaks while idle is noticed by the next query; unheard it would end the process.
  pool.on('error', () => {})
  try {
    const datamodels: [string, string][] | undefined = schema === undefined ? undefined : [['schema.prisma', schema]]
    const adapter = bindMigrationAwareSqlAdapterFactory(fittedAdapter(pool))
    const engine = await glue.SchemaEngine.new({ datamodels }, () => {}, adapter)
    try {
      return await use(engine)
    } finally {
      engine.free()
    }
  } finally {
    await pool.end()
  }
}

/**
 * The adapter, changed in two places where it falls short of the native engine.
 * - It cuts a script at every semicolon, also inside comments and function bodies, and runs the
 *   pieces one by one. The native engine sends a migration as one message, which PostgreSQL runs as
 *   one transaction: all of it or nothing.
 * - It does not know PostgreSQL's internal "char" type, which the catalog tables that a diff reads
 *   are full of.
 */
function fittedAdapter(pool: pg.Pool): PrismaPg {
  const charColumns = new WeakMap<unknown[][], number[]>()
  const query: (config: pg.QueryArrayConfig) => Promise<pg.QueryArrayResult<unknown[]>> = pool.query.bind(pool)
  Object.assign(pool, {
    async query(config: pg.QueryArrayConfig) {
      const result = await query(config)
      const found = (result.fields ?? []).flatMap((field, index) => (field.dataTypeID === internalChar ? [index] : []))
      for (const field of result.fields ?? []) if (field.dataTypeID === internalChar) field.dataTypeID = text
      if (found.length > 0) charColumns.set(result.rows, found)
      return result
    },
  })
  const executeScript: SqlDriverAdapter['executeScript'] = async (script) => {
    try {
      await pool.query(script)
    } catch (error) {
      throw asAdapterError(error)
    }
  }
  const factory = new PrismaPg(pool)
  const connect = factory.connect.bind(factory)
  factory.connect = async () => {
    const connection = await connect()
    const ask = connection.queryRaw.bind(connection)
    const queryRaw: SqlDriverAdapter['queryRaw'] = async (asked) => {
      const answer = await ask(asked)
      for (const index of charColumns.get(answer.rows) ?? []) answer.columnTypes[index] = ColumnTypeEnum.Character
      return answer
    }
    return Object.assign(connection, { executeScript, queryRaw })
  }
  return factory
}

function asAdapterError(error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError)) return error
  const { code = '', severity = '', message, detail, column, hint } = error
  return new DriverAdapterError({ kind: 'postgres', code, severity, message, detail, column, hint })
}

async function loadWasm(): Promise<void> {
  // Where the engine reports its own crash; without it the crash hides behind a TypeError.
  const registry = {
    set_message(message: string) {
      throw new Error(`Prisma's schema engine failed: ${message}`)
    },
  }
  Object.assign(globalThis, { PRISMA_WASM_PANIC_REGISTRY: registry })
  const folder = dirname(createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg'))
  const compiled = await WebAssembly.compile(await readFile(join(folder, 'schema_engine_bg.wasm')))
  const { exports } = await WebAssembly.instantiate(compiled, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(exports)
  if (typeof exports['__wbindgen_start'] === 'function') exports['__wbindgen_start']()
}
