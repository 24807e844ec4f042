# One image for every part of a deployment; the command chooses: serve, work or migrate.
FROM node:22-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json prisma.config.ts ./
COPY prisma ./prisma
COPY scripts ./scripts
COPY src ./src
RUN npm run build
# Left out: the tools of development, and the embedded PostgreSQL, which is an optional package.
RUN npm prune --omit=dev --omit=optional --no-audit --no-fund

FROM node:22-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/prisma ./prisma
COPY --from=build /app/dist ./dist
# The files belong to root, so the service cannot change itself.
USER node
EXPOSE 3000
CMD ["node", "dist/main.js", "serve"]
