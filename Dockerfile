# The packages that the service runs on, and the Prisma client generated from the schema. Development packages are needed
# to generate, so they are installed, used, and removed.
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY prisma prisma
RUN node prisma/generate.mjs
# "Optional" are the Prisma command line and TypeScript, which its client calls optional peers and `npm prune` would keep.
RUN npm ci --omit=dev --omit=optional --ignore-scripts --no-audit --no-fund

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
# Owned by root: the service reads its code and cannot change it.
COPY package.json ./
COPY --from=build /app/node_modules node_modules
COPY prisma prisma
COPY src src
COPY --from=build /app/src/adapters/postgres/generated src/adapters/postgres/generated
# Compiled here once, so that an instance starts sooner.
ENV NODE_COMPILE_CACHE=/app/.compile-cache
RUN node -e "import('/app/src/main.ts')"
USER node
EXPOSE 3000
# Alive, not ready: an instance that waits for Postgres is not helped by being restarted.
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/livez`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Not through npm, which would stand between the container's SIGTERM and the service.
CMD ["node", "src/main.ts"]
