// What the `prisma` command line needs to know. The service itself applies the migrations through
// src/store/migrate.ts; `prisma migrate deploy` with this file does the same elsewhere.

import { defineConfig } from 'prisma/config'

const url = process.env['DATABASE_URL']

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url === undefined ? {} : { datasource: { url } }),
})
