import { describe, expect, test } from 'vitest'
import { readConfig } from '../../src/config.ts'

describe('settings from the environment', () => {
  test('none at all give a complete configuration for the embedded mode', () => {
    const config = readConfig({})
    expect(config).toMatchObject({ databaseUrl: undefined, queueUrl: undefined, port: 3000, host: '127.0.0.1' })
  })

  test('production settings are taken over in their types', () => {
    const key = Buffer.alloc(32, 7)
    const config = readConfig({
      DATABASE_URL: 'postgres://db/rollcall',
      QUEUE_URL: 'redis://queue:6379',
      PORT: '8080',
      PUBLIC_URL: 'https://rollcall.example/',
      ROLLCALL_ENCRYPTION_KEY: key.toString('base64'),
      DNS_RESOLVERS: '127.0.0.1:5353, [::1]:53',
      ALLOW_PRIVATE_NETWORKS: 'true',
    })
    expect(config.port).toBe(8080)
    expect(config.publicUrl).toBe('https://rollcall.example')
    expect(config.encryptionKey?.equals(key)).toBe(true)
    expect(config.dnsResolvers).toEqual(['127.0.0.1:5353', '[::1]:53'])
    expect(config.allowPrivateNetworks).toBe(true)
  })

  test('an empty value counts as absent, as Compose files write it', () => {
    expect(readConfig({ SMTP_URL: '', PORT: '' })).toMatchObject({ smtpUrl: undefined, port: 3000 })
  })

  test.each([
    ['PORT', '70000'],
    ['PORT', 'http'],
    ['DATABASE_URL', 'mysql://db'],
    ['QUEUE_URL', 'amqp://queue'],
    ['PUBLIC_URL', 'rollcall'],
    ['ROLLCALL_ADMIN_KEY', 'short'],
    ['ROLLCALL_ENCRYPTION_KEY', 'c2hvcnQ='],
    ['SMTP_URL', 'mail.example'],
    ['DNS_RESOLVERS', 'dns.example'],
    ['LOG_LEVEL', 'loud'],
    ['ALLOW_PRIVATE_NETWORKS', 'yes'],
    ['SLICE_SIZE', '0'],
  ])('a bad %s (%s) is refused with a sentence that names it', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`The setting ${name} must `))
  })
})
