import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createSelfSignedCertificate } from '../../src/demo/self-signed-certificate.ts'
import { connectionSecretContext, unseal } from '../../src/store/seal.ts'
import { type AdminClient, openAdminDoor, type TestDoor } from '../support/admin-door.ts'

let door: TestDoor
let tenant: AdminClient
let organization: string

beforeAll(async () => {
  door = await openAdminDoor()
})
afterAll(async () => {
  expect(door.reported).toEqual([])
  await door.close()
})
beforeEach(async () => {
  tenant = await door.newTenant()
  organization = (await tenant.post('/organizations', { name: 'Acme' })).body.id
})

const oidc = {
  kind: 'oidc',
  name: 'Zitadel',
  config: {
    issuer: 'https://id.acme.example',
    clientId: 'rollcall',
    organizationClaim: { preset: 'zitadel' },
    groupsClaim: 'https://acme.example/groups',
  },
  clientSecret: 'not to be seen again',
}
const { certificate } = createSelfSignedCertificate('idp', new Date())
const saml = {
  kind: 'saml',
  name: 'Okta',
  config: { idpEntityId: 'urn:okta', idpSsoUrl: 'https://okta.example/sso', idpCertificates: [certificate] },
}

describe('connections', () => {
  test('an OIDC connection tells its redirect URI, and its secret is sealed and never told', async () => {
    const made = await tenant.post('/connections', oidc)
    expect(made).toMatchObject({
      status: 201,
      body: {
        kind: 'oidc',
        organizationId: null,
        state: 'active',
        hasSecret: true,
        redirectUri: `https://rollcall.test/sso/${made.body.id}/callback`,
        startUrl: `https://rollcall.test/sso/${made.body.id}/start`,
        config: { clientId: 'rollcall', groupsClaim: ['https://acme.example/groups'] },
      },
    })
    const answers = [
      made,
      await tenant.get('/connections'),
      await tenant.get(`/connections/${made.body.id}`),
      await tenant.get(`/organizations/${organization}/audit`),
    ]
    for (const { body } of answers) expect(JSON.stringify(body)).not.toContain(oidc.clientSecret)
    const { rows } = await door.db.pool.query('SELECT * FROM connections WHERE id = $1', [made.body.id])
    expect(JSON.stringify(rows)).not.toContain(oidc.clientSecret)
    const context = connectionSecretContext(tenant.tenant, made.body.id)
    expect(unseal(door.context.sealingKeys, rows[0].sealed_secret, context)).toBe(oidc.clientSecret)
  })

  test('a SAML connection tells entity id, ACS and metadata, and what its certificates are', async () => {
    const made = await tenant.post(`/organizations/${organization}/connections`, saml)
    const base = `https://rollcall.test/sso/${made.body.id}`
    expect(made.body).toMatchObject({
      organizationId: organization,
      hasSecret: false,
      entityId: `${base}/metadata`,
      acsUrl: `${base}/acs`,
      metadataUrl: `${base}/metadata`,
    })
    expect(made.body.certificates).toHaveLength(1)
    expect(Date.parse(made.body.certificates[0].notAfter)).toBeGreaterThan(Date.now())
    expect((await tenant.get(`/organizations/${organization}/connections`)).body.items).toHaveLength(1)
    expect((await tenant.get('/connections')).body.items).toEqual([])
  })

  test('what nobody should trust is refused with a sentence, and nothing is stored', async () => {
    const refused = [
      { ...oidc, config: { ...oidc.config, issuer: 'https://login.microsoftonline.com/common/v2.0' } },
      { ...oidc, config: { ...oidc.config, issuer: 'http://id.acme.example' } },
      { ...oidc, config: { ...oidc.config, clientSecret: 'in the wrong place' } },
      { ...oidc, clientSecret: '' },
      { ...saml, clientSecret: 'SAML has none' },
      { ...saml, config: { ...saml.config, idpCertificates: ['rubbish'] } },
      { ...saml, config: { ...saml.config, idpSsoUrl: 'javascript:alert(1)' } },
      { ...saml, kind: 'ldap' },
    ]
    for (const body of refused) {
      const answer = await tenant.post('/connections', body)
      expect(answer.status, JSON.stringify(body)).toBe(400)
      expect(answer.body.detail.length).toBeGreaterThan(10)
    }
    expect((await tenant.get('/connections')).body.items).toEqual([])
    expect((await tenant.post('/connections', saml)).status).toBe(201)
  })

  test('a connection is switched off and on again', async () => {
    const { id } = (await tenant.post('/connections', saml)).body
    expect((await tenant.patch(`/connections/${id}`, { state: 'disabled' })).body.state).toBe('disabled')
    expect((await tenant.get(`/connections/${id}`)).body.connection.state).toBe('disabled')
    expect((await tenant.patch(`/connections/${id}`, { state: 'active' })).body.state).toBe('active')
  })

  test('a value of the org claim names one organization, and on a bound connection only its own', async () => {
    const second = (await tenant.post('/organizations', { name: 'Second' })).body.id
    const wide = (await tenant.post('/connections', oidc)).body.id
    const alias = { organization, value: '3129' }
    expect((await tenant.post(`/connections/${wide}/aliases`, alias)).status).toBe(201)
    expect((await tenant.post(`/connections/${wide}/aliases`, { ...alias, organization: second })).status).toBe(409)
    expect((await tenant.get(`/connections/${wide}`)).body.aliases).toEqual([alias])

    const bound = (await tenant.post(`/organizations/${organization}/connections`, oidc)).body.id
    expect((await tenant.post(`/connections/${bound}/aliases`, { ...alias, organization: second })).status).toBe(409)
    expect((await tenant.post(`/connections/${bound}/aliases`, alias)).status).toBe(201)
  })

  test('a claim value is mapped for connections that serve the organization, and its logins are asked for', async () => {
    const second = (await tenant.post('/organizations', { name: 'Second' })).body.id
    const wide = (await tenant.post('/connections', oidc)).body.id
    const foreign = (await tenant.post(`/organizations/${second}/connections`, oidc)).body.id
    const login = async (subject: string, claims: string[]) => {
      const { rows } = await door.db.pool.query(
        `WITH identity AS (
           INSERT INTO identities (tenant_id, id, kind, connection_id, issuer, subject, created_at, last_seen_at)
           VALUES ($1, gen_random_uuid(), 'oidc', $2, 'i', $4, now(), now()) RETURNING id)
         INSERT INTO entries (tenant_id, id, organization_id, kind, identity_id, connection_id, claim_values, created_at, updated_at)
         SELECT $1, gen_random_uuid(), $3, 'sso', identity.id, $2, $5, now(), now() FROM identity RETURNING id`,
        [tenant.tenant, wide, organization, subject, claims],
      )
      return rows[0].id
    }
    const admin = await login('one', ['staff', 'admins'])
    await login('two', ['staff'])
    const mappings = `/organizations/${organization}/mappings`
    const target = { role: 'admin' }
    const made = await tenant.post(mappings, { source: { connection: wide, claimValue: 'admins' }, target })
    expect(made).toMatchObject({ status: 201, body: { requested: 1, source: { claimValue: 'admins' } } })
    const { rows } = await door.db.pool.query('SELECT subject_kind, subject_id FROM reconcile_requests')
    expect(rows).toEqual([{ subject_kind: 'entry', subject_id: admin }])
    const refused = await tenant.post(mappings, { source: { connection: foreign, claimValue: 'admins' }, target })
    expect(refused.status).toBe(404)
    await tenant.patch(`/connections/${wide}`, { state: 'disabled' })
    expect((await tenant.get(`/organizations/${organization}`)).body.attention).toEqual([
      { reason: 'mapping_without_effect', count: 1 },
    ])
  })
})

describe('domains', () => {
  const domains = (id = organization) => `/organizations/${id}/domains`

  test('a claim answers with the record to put into DNS, and a check is asked for and told to a worker', async () => {
    const claimed = await tenant.post(domains(), { name: 'Acme.Example.' })
    expect(claimed).toMatchObject({
      status: 201,
      body: {
        name: 'acme.example',
        status: 'pending',
        record: { type: 'TXT', name: '_rollcall-challenge.acme.example' },
      },
    })
    expect(claimed.body.record.value).toMatch(/^rollcall-verification=[\w-]{43}$/)
    const days = (Date.parse(claimed.body.expiresAt) - Date.parse(claimed.body.createdAt)) / 86_400_000
    expect(days).toBe(30)

    const client = await door.db.pool.connect()
    await client.query('LISTEN rollcall_wake')
    const told = new Promise<string>((resolve) => client.once('notification', ({ payload }) => resolve(payload ?? '')))
    const checked = await tenant.post(`${domains()}/${claimed.body.id}/verify`)
    expect(checked.status).toBe(202)
    expect(checked.body.checkRequestedAt).not.toBeNull()
    expect(await told).toContain(`domain/${tenant.tenant}/${claimed.body.id}`)
    client.release(true)
  })

  test.each([
    ['a public suffix', 'co.uk'],
    ['a private public suffix', 'github.io'],
    ['free mail', 'gmail.com'],
    ['a name below free mail', 'mail.gmail.com'],
    ['throw-away mail', 'mailinator.com'],
    ['free mail in full-width letters', 'ｇｍａｉｌ.com'],
    ['free mail with a zero-width character', 'gm\u200bail.com'],
    ['a Microsoft tenant', 'acme.onmicrosoft.com'],
    ['an address', '127.0.0.1'],
    ['a single label', 'localhost'],
    ['nothing that is a name', 'acme..example'],
    ['a URL', 'https://acme.example'],
  ])('%s cannot be claimed', async (_what, name) => {
    const refused = await tenant.post(domains(), { name })
    expect(refused).toMatchObject({ status: 400, body: { code: 'invalid_value' } })
    expect((await tenant.get(domains())).body.items).toEqual([])
  })

  test.each([
    ['an ordinary domain', 'acme.example', 'acme.example'],
    ['one below a private suffix', 'acme.github.io', 'acme.github.io'],
    ['one in another script', 'bücher.example', 'xn--bcher-kva.example'],
  ])('%s can be claimed', async (_what, name, stored) => {
    expect((await tenant.post(domains(), { name })).body.name).toBe(stored)
  })

  test('what another organization has verified is refused, with all below it; what it only claimed is not', async () => {
    const second = (await tenant.post('/organizations', { name: 'Second' })).body.id
    const first = (await tenant.post(domains(), { name: 'acme.example' })).body
    expect((await tenant.post(domains(second), { name: 'acme.example' })).status).toBe(201)
    await door.db.pool.query(`UPDATE domains SET status = 'verified', verified_at = now() WHERE id = $1`, [first.id])
    expect((await tenant.post(domains(second), { name: 'eu.acme.example' })).status).toBe(409)
    expect((await tenant.post(domains(), { name: 'eu.acme.example' })).status).toBe(201)
    const stranger = await door.newTenant()
    const theirs = (await stranger.post('/organizations', { name: 'Stranger' })).body.id
    expect((await stranger.post(domains(theirs), { name: 'acme.example' })).status).toBe(201)
  })

  test('a claim is made once, and anew with another challenge when it came to nothing', async () => {
    const first = (await tenant.post(domains(), { name: 'acme.example' })).body
    expect((await tenant.post(domains(), { name: 'ACME.example' })).status).toBe(409)
    await door.db.pool.query(`UPDATE domains SET expires_at = now() - interval '1 second' WHERE id = $1`, [first.id])
    expect((await tenant.post(`${domains()}/${first.id}/verify`)).status).toBe(409)
    const again = await tenant.post(domains(), { name: 'acme.example' })
    expect(again).toMatchObject({ status: 201, body: { id: first.id, status: 'pending' } })
    expect(again.body.record.value).not.toBe(first.record.value)
  })

  test('a join rule holds for an own domain, makes no owners, and is one per domain', async () => {
    const domain = (await tenant.post(domains(), { name: 'acme.example' })).body.id
    const team = (await tenant.post(`/organizations/${organization}/units`, { kind: 'team', name: 'New' })).body.id
    const rules = `/organizations/${organization}/join-rules`
    expect((await tenant.post(rules, { domain, role: 'owner' })).status).toBe(400)
    const made = await tenant.post(rules, { domain, role: 'developer', unit: team })
    expect(made).toMatchObject({
      status: 201,
      body: { role: 'developer', unit: { name: 'New' }, domain: { name: 'acme.example', status: 'pending' } },
    })
    expect((await tenant.post(rules, { domain })).status).toBe(409)
    expect((await tenant.delete(`${rules}/${made.body.id}`)).status).toBe(204)
    expect((await tenant.get(rules)).body.items).toEqual([])
    expect((await tenant.delete(`${rules}/${made.body.id}`)).status).toBe(404)
    expect((await tenant.post(rules, { domain })).body).toMatchObject({ id: made.body.id, role: null, unit: null })
  })

  test('letting a domain go keeps whoever came in by it, without what the rule gave', async () => {
    const domain = (await tenant.post(domains(), { name: 'acme.example' })).body.id
    await door.db.pool.query(`UPDATE domains SET status = 'verified', verified_at = now() WHERE id = $1`, [domain])
    const rule = (await tenant.post(`/organizations/${organization}/join-rules`, { domain, role: 'developer' })).body.id
    await door.db.pool.query(
      `WITH identity AS (
         INSERT INTO identities (tenant_id, id, kind, issuer, subject, email, email_verified, created_at, last_seen_at)
         VALUES ($1, gen_random_uuid(), 'email', 'email', 'ada@acme.example', 'ada@acme.example', true, now(), now())
         RETURNING id), entry AS (
         INSERT INTO entries (tenant_id, id, organization_id, kind, identity_id, join_rule_id, created_at, updated_at)
         SELECT $1, gen_random_uuid(), $2, 'domain', id, $3, now(), now() FROM identity RETURNING id)
       INSERT INTO reconcile_requests (tenant_id, organization_id, subject_kind, subject_id, requested_at)
       SELECT $1, $2, 'entry', id, now() FROM entry`,
      [tenant.tenant, organization, rule],
    )
    await door.reconcile(tenant.tenant, organization)
    const member = async () => (await tenant.get(`/organizations/${organization}/members`)).body.items[0]
    expect(await member()).toMatchObject({ status: 'active', role: 'developer', source: 'domain' })

    expect((await tenant.delete(`${domains()}/${domain}`)).status).toBe(204)
    await door.reconcile(tenant.tenant, organization)
    expect(await member()).toMatchObject({ status: 'active', role: 'viewer' })
    expect((await tenant.get(domains())).body.items).toMatchObject([{ status: 'lapsed' }])
    const second = (await tenant.post('/organizations', { name: 'Second' })).body.id
    expect((await tenant.post(domains(second), { name: 'acme.example' })).status).toBe(201)
  })

  test('a claim that nobody came in by is gone when it is let go', async () => {
    const domain = (await tenant.post(domains(), { name: 'acme.example' })).body.id
    await tenant.post(`/organizations/${organization}/join-rules`, { domain })
    expect((await tenant.delete(`${domains()}/${domain}`)).status).toBe(204)
    expect((await tenant.get(domains())).body.items).toEqual([])
    expect((await tenant.get(`/organizations/${organization}/join-rules`)).body.items).toEqual([])
  })
})
