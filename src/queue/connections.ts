// The two places where a queue can live, Redis and PostgreSQL, and what each needs in order to fail at
// once, to come back by itself and to be left without a trace. Everything above is the same for both
// (open-queue.ts).

import {
  type BackendFactory,
  type ConnectionOptions,
  createPostgresBackend,
  createRedisBackend,
  type IQueueBackend,
  type PostgresConnectionOptions,
  type PostgresQueueBackend,
  type RedisQueueBackend,
} from 'bullmq'
import { Redis } from 'ioredis'
import { RollcallError } from '../model/errors.ts'

export interface Connections<B extends IQueueBackend, C> {
  readonly factory: BackendFactory<B, C>
  /** For adding. Given once. */
  readonly producer: C
  /** For one worker. */
  worker(): C
  /** Whether the server has to answer when a queue or a worker is opened. Otherwise BullMQ's check of it is left out for the producer. */
  readonly mustAnswer: boolean
  /** Resolves when the producer is connected; at the latest after a few seconds. */
  settled(): Promise<void>
  /** Throws `unavailable` where an add could only wait. */
  assertReachable(): void
  /** Ends whatever BullMQ left open. */
  disconnect(): void
}

const patienceMs = 5_000

/**
 * Redis. Two kinds of connection, because they have to behave in opposite ways: a producer fails at
 * once (no offline queue, no retries, a time limit), so that the relay is never held up; a worker's
 * waits for as long as it takes (BullMQ demands `maxRetriesPerRequest: null` there).
 */
export function redisConnections(
  url: string,
  onError: (error: unknown) => void,
): Connections<RedisQueueBackend, ConnectionOptions> {
  const clients: Redis[] = []
  const connect = (options: {
    enableOfflineQueue?: boolean
    maxRetriesPerRequest: number | null
    commandTimeout?: number
  }) => {
    const client = new Redis(url, {
      retryStrategy: (times) => Math.min(50 * 2 ** Math.min(times, 5), 1_000),
      connectTimeout: patienceMs,
      keepAlive: 10_000,
      ...options,
    })
    client.on('error', onError)
    clients.push(client)
    return client
  }
  const producer = connect({ enableOfflineQueue: false, maxRetriesPerRequest: 0, commandTimeout: patienceMs })
  return {
    factory: createRedisBackend,
    producer,
    worker: () => connect({ maxRetriesPerRequest: null }),
    // With its check, BullMQ would wait for the first connection inside every add, and one failed check
    // would spoil the producer for good. Workers do check the server's version.
    mustAnswer: false,
    settled: () =>
      new Promise<void>((resolve) => {
        if (producer.status === 'ready') return resolve()
        const timer = setTimeout(resolve, patienceMs)
        const done = () => {
          clearTimeout(timer)
          resolve()
        }
        producer.once('ready', done).once('error', done)
      }),
    assertReachable() {
      if (producer.status !== 'ready') throw new RollcallError('unavailable', 'The queue cannot be reached.')
    },
    disconnect() {
      for (const client of clients) client.disconnect()
    },
  }
}

/**
 * PostgreSQL: BullMQ keeps its tables in the schema `bullmq` of the same database, and brings them up
 * to date when the queue is opened. Each queue and each worker has a small pool of its own, and a
 * worker one connection more to LISTEN on.
 */
export function postgresConnections(url: string): Connections<PostgresQueueBackend, PostgresConnectionOptions> {
  const connect = (options: { migrate: boolean; max: number }) => ({
    connectionString: url,
    application_name: 'rollcall-queue',
    connectionTimeoutMillis: patienceMs,
    // An idle connection is kept: opening one again costs more than all of an add.
    idleTimeoutMillis: 0,
    keepAlive: true,
    ...options,
  })
  return {
    factory: createPostgresBackend,
    producer: { ...connect({ migrate: true, max: 2 }), query_timeout: 4 * patienceMs },
    worker: () => connect({ migrate: false, max: 4 }),
    mustAnswer: true,
    settled: async () => {},
    assertReachable() {},
    disconnect() {},
  }
}
