// Mail jobs against a real SMTP conversation on loopback.

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Uuid } from '../../src/model/ids.ts'
import { createMailSender, type MailSender, maxTries, sendMail } from '../../src/work/send-mail.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createWorld, type OpenDatabase, openDatabase } from '../support/organization-fixture.ts'
import { type SmtpSink, startSmtpSink } from '../support/smtp-sink.ts'

let database: TestDatabase
let db: OpenDatabase
let sink: SmtpSink
let sender: MailSender
let tenant: Uuid

beforeAll(async () => {
  database = await createTestDatabase()
  db = openDatabase(database.url)
  sink = await startSmtpSink()
  sender = createMailSender({ smtpUrl: sink.url, from: 'Rollcall <rollcall@cloud.test>' })
  tenant = (await createWorld(db.pool)).tenant
})
afterAll(async () => {
  sender.close()
  await sink.stop()
  await db.close()
  await database.drop()
})
beforeEach(() => {
  sink.refusal = undefined
  sink.messages.length = 0
  sink.recipients.length = 0
})

async function write(recipient = 'ada@acme.test'): Promise<Uuid> {
  const id = randomUUID()
  await db.pool.query(
    `INSERT INTO mails (tenant_id, id, recipient, subject, body, created_at) VALUES ($1, $2, $3, 'Ünicode', $4, now())`,
    [tenant, id, recipient, 'Your code: 1234 5678\n'],
  )
  return id
}

async function read(id: Uuid) {
  const { rows } = await db.pool.query(
    'SELECT body, sent_at, attempts, failed_at, last_error FROM mails WHERE id = $1',
    [id],
  )
  return rows[0]
}

test('a mail is handed over once, whole and to its one recipient, and its text is gone afterwards', async () => {
  const id = await write('ada@acme.test')
  const jobs = [1, 2, 3].map(() => sendMail(db, { sender }, { tenant, mail: id }))
  await Promise.all(jobs)
  await sendMail(db, { sender }, { tenant, mail: id })
  expect(sink.recipients).toEqual(['ada@acme.test'])
  expect(sink.messages).toHaveLength(1)
  expect(sink.messages[0]).toContain('Your code: 1234 5678')
  expect(sink.messages[0]).toContain(`Message-ID: <${id}@cloud.test>`)
  expect(await read(id)).toMatchObject({ body: '', attempts: 1, sent_at: expect.any(Date), last_error: null })
})

test('an address that would be several is none', async () => {
  const id = await write('ada@acme.test, eve@evil.test')
  await sendMail(db, { sender }, { tenant, mail: id }).catch(() => {})
  expect(sink.recipients).not.toContain('eve@evil.test')
})

test('a mail that the server refuses is tried again, and given up in the end without its text', async () => {
  sink.refusal = '451 come back, ada@acme.test'
  const id = await write()
  for (let tries = 1; tries < maxTries; tries += 1) {
    await expect(sendMail(db, { sender }, { tenant, mail: id })).rejects.toMatchObject({ code: 'unavailable' })
  }
  const waiting = await read(id)
  expect(waiting).toMatchObject({ attempts: maxTries - 1, failed_at: null, last_error: expect.stringContaining('451') })
  expect(waiting.last_error).not.toContain('ada')
  await sendMail(db, { sender }, { tenant, mail: id })
  expect(await read(id)).toMatchObject({ body: '', attempts: maxTries, failed_at: expect.any(Date), sent_at: null })
  sink.refusal = undefined
  await sendMail(db, { sender }, { tenant, mail: id })
  expect(sink.messages).toEqual([])
})

test('without a mail server a mail counts as sent and keeps its text for the mailbox', async () => {
  const id = await write()
  await sendMail(db, { sender: null }, { tenant, mail: id })
  expect(await read(id)).toMatchObject({ body: 'Your code: 1234 5678\n', sent_at: expect.any(Date) })
})

test('a mail of another tenant, or none, is nobody’s to send', async () => {
  const id = await write()
  await sendMail(db, { sender }, { tenant: randomUUID(), mail: id })
  await sendMail(db, { sender }, { tenant, mail: randomUUID() })
  expect(sink.messages).toEqual([])
  expect(await read(id)).toMatchObject({ sent_at: null, attempts: 0 })
})
