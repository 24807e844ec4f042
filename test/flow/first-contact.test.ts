import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ScimService, startScimService, type TestDirectory } from '../support/scim-service.ts'

let service: ScimService

beforeAll(async () => {
  service = await startScimService()
})
afterAll(async () => {
  expect(service.errors).toEqual([])
  await service.stop()
})

/** Somebody who logged in before the directory had been heard of. */
async function addLogin({ tenant, organization }: TestDirectory): Promise<string> {
  const [connection, identity, entry] = [randomUUID(), randomUUID(), randomUUID()]
  await service.query(
    `INSERT INTO connections (tenant_id, id, organization_id, kind, name, config) VALUES ($1, $2, $3, 'oidc', 'IdP', '{}')`,
    [tenant, connection, organization],
  )
  await service.query(
    `INSERT INTO identities (tenant_id, id, kind, connection_id, issuer, subject, created_at, last_seen_at)
      VALUES ($1, $2, 'oidc', $3, 'https://idp.example', 'ada', now(), now())`,
    [tenant, identity, connection],
  )
  await service.query(
    `INSERT INTO entries (tenant_id, id, organization_id, kind, identity_id, connection_id, created_at, updated_at)
      VALUES ($1, $2, $3, 'sso', $4, $5, now(), now())`,
    [tenant, entry, organization, identity, connection],
  )
  return entry
}

const list = ({ baseUrl, token }: TestDirectory) =>
  fetch(`${baseUrl}/Users`, { headers: { authorization: `Bearer ${token}` } })

const requests = ({ tenant }: TestDirectory) =>
  service.query('SELECT subject_kind, subject_id::text FROM reconcile_requests WHERE tenant_id = $1', [tenant])

test('with the first contact a directory governs, and everybody who logged in before is looked at again', async () => {
  const directory = await service.createDirectory({ state: 'pending' })
  const entry = await addLogin(directory)
  expect((await list(directory)).status).toBe(200)
  expect(await requests(directory)).toEqual([{ subject_kind: 'entry', subject_id: entry }])
  expect(service.wakes).toContainEqual(expect.objectContaining({ kind: 'organization', id: directory.organization }))
  const audit = await service.query('SELECT action FROM audit_entries WHERE tenant_id = $1', [directory.tenant])
  expect(audit).toEqual([{ action: 'directory.activated' }])
})

test('a directory that was heard of before asks for nobody', async () => {
  const directory = await service.createDirectory({ state: 'active' })
  await addLogin(directory)
  expect((await list(directory)).status).toBe(200)
  expect(await requests(directory)).toEqual([])
})
