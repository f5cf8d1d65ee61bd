import type { TestProject } from 'vitest/node';
import { makeTemplate, type TestDatabase } from './database.ts';
import { startTestServers, type TestServers } from './servers.ts';

declare module 'vitest' {
  interface ProvidedContext {
    databaseUrl: string;
    /** The name of a migrated, empty database on the same server: see `freshDatabase`. */
    databaseTemplate: string;
    redisUrl: string;
  }
}

let servers: TestServers | undefined;
let template: TestDatabase | undefined;

export async function setup(project: TestProject): Promise<void> {
  try {
    servers = await startTestServers((line) => console.log(line));
    template = await makeTemplate(servers.databaseUrl);
  } catch (error) {
    await teardown();
    throw error;
  }
  project.provide('databaseUrl', servers.databaseUrl);
  project.provide('databaseTemplate', template.name);
  project.provide('redisUrl', servers.redisUrl);
}

export async function teardown(): Promise<void> {
  try {
    await template?.drop();
  } finally {
    await servers?.stop();
  }
}
