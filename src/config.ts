// The only reader of the environment. Every setting is parsed once into a typed value; a bad one
// ends the start with a sentence that names it and says what would be right.

import { z } from 'zod'
import { RollcallError } from './model/errors.ts'

const postgresUrl = z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL')
const queueUrl = z.string().regex(/^(redis|rediss|postgres|postgresql):\/\//, 'must be a redis:// or a postgres:// URL')
const whole = (least: number, most: number) => {
  const error = `must be a whole number from ${least} to ${most}`
  return z.coerce.number({ error }).int({ error }).min(least, { error }).max(most, { error })
}
const port = whole(0, 65_535)
const levels = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const
const flag = z.enum(['true', 'false'], { error: 'must be true or false' }).transform((value) => value === 'true')

const settings = z.object({
  DATABASE_URL: postgresUrl.optional(),
  QUEUE_URL: queueUrl.optional(),
  HOST: z.string().min(1).default('127.0.0.1'),
  PORT: port.default(3000),
  HEALTH_PORT: port.default(9090),
  PUBLIC_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) URL' }).optional(),
  ROLLCALL_ADMIN_KEY: z.string().min(32, 'must have at least 32 characters').optional(),
  ROLLCALL_ENCRYPTION_KEY: z
    .string()
    .refine(
      (value) => Buffer.from(value, 'base64').length === 32,
      'must be 32 bytes in base64, for instance from: openssl rand -base64 32',
    )
    .optional(),
  SMTP_URL: z
    .string()
    .regex(/^smtps?:\/\//, 'must be an smtp:// or smtps:// URL')
    .optional(),
  MAIL_FROM: z.string().min(3).default('Rollcall <rollcall@localhost>'),
  DNS_RESOLVERS: z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    )
    .pipe(
      z.array(
        z
          .string()
          .regex(
            /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:]+\])(:\d+)?$/i,
            'must be a comma-separated list of IP addresses, each with an optional port',
          ),
      ),
    )
    .default([]),
  ALLOW_PRIVATE_NETWORKS: flag.optional(),
  TRUST_PROXY: whole(0, 100).default(0),
  LOG_LEVEL: z.enum(levels, { error: `must be one of ${levels.join(', ')}` }).optional(),
  DATA_DIR: z.string().min(1).default('.data'),
  DATABASE_POOL: whole(2, 1_000).default(20),
  WORKER_CONCURRENCY: whole(1, 1_000).default(4),
  SLICE_SIZE: whole(1, 5_000).default(500),
})

export interface Config {
  /** Absent: an embedded PostgreSQL is started. */
  readonly databaseUrl: string | undefined
  /** Absent: the queue runs on the database. */
  readonly queueUrl: string | undefined
  readonly host: string
  readonly port: number
  readonly healthPort: number
  readonly publicUrl: string | undefined
  readonly adminKey: string | undefined
  readonly encryptionKey: Buffer | undefined
  /** Absent: mails stay in the local mailbox. */
  readonly smtpUrl: string | undefined
  readonly mailFrom: string
  /** Empty: those of the system. */
  readonly dnsResolvers: readonly string[]
  /** Absent: only in the embedded mode. */
  readonly allowPrivateNetworks: boolean | undefined
  /** How many proxies in front are trusted for the client's address. */
  readonly trustProxy: number
  /** Absent: `warn` in the embedded mode, whose terminal is for a person, otherwise `info`. */
  readonly logLevel: z.infer<typeof settings>['LOG_LEVEL']
  readonly dataDirectory: string
  readonly databasePool: number
  readonly workerConcurrency: number
  readonly sliceSize: number
}

/** Parses the settings; throws `invalid_request` with one sentence a person can act on. Empty values count as absent. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  )
  const parsed = settings.safeParse(given)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new RollcallError(
      'invalid_request',
      `The setting ${String(issue?.path[0])} ${issue?.message ?? 'is not valid'}.`,
    )
  }
  const value = parsed.data
  return {
    databaseUrl: value.DATABASE_URL,
    queueUrl: value.QUEUE_URL,
    host: value.HOST,
    port: value.PORT,
    healthPort: value.HEALTH_PORT,
    publicUrl: value.PUBLIC_URL?.replace(/\/+$/, ''),
    adminKey: value.ROLLCALL_ADMIN_KEY,
    encryptionKey:
      value.ROLLCALL_ENCRYPTION_KEY === undefined ? undefined : Buffer.from(value.ROLLCALL_ENCRYPTION_KEY, 'base64'),
    smtpUrl: value.SMTP_URL,
    mailFrom: value.MAIL_FROM,
    dnsResolvers: value.DNS_RESOLVERS,
    allowPrivateNetworks: value.ALLOW_PRIVATE_NETWORKS,
    trustProxy: value.TRUST_PROXY,
    logLevel: value.LOG_LEVEL,
    dataDirectory: value.DATA_DIR,
    databasePool: value.DATABASE_POOL,
    workerConcurrency: value.WORKER_CONCURRENCY,
    sliceSize: value.SLICE_SIZE,
  }
}

export const environment = process.env
