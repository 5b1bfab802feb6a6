import type { Attempt, Gap, Job, Page, Run, StorageAdapter } from '../../../lib/index.js';

/** What is left of a scenario in the storage. */
export interface Aftermath {
  attempts: readonly Attempt[];
  gaps: readonly Gap[];
  runs: readonly Run[];
}

const namespace = 'default';

export function jobOf(storage: StorageAdapter, id: string): Promise<Job | null> {
  return storage.getJob({ namespace, id });
}

/** What is stored of jobs and workers, without what time changes. */
export async function definitions(storage: StorageAdapter): Promise<unknown> {
  const jobs = await all((page) => storage.queryJobs({}, page));
  const workers = await storage.queryWorkers();
  return {
    jobs: jobs.map(({ id, app, handler, trigger, payload, orphanedAt, paused, createdAt }) => ({
      id,
      app,
      handler,
      trigger,
      payload,
      orphanedAt,
      paused,
      createdAt,
    })),
    workers: [...new Set(workers.map(({ name, app, generation }) => `${name} of ${app}: ${generation}`))],
  };
}

export async function lookAfter(storage: StorageAdapter): Promise<Aftermath> {
  return {
    attempts: await all((page) => storage.queryAttempts({}, page)),
    gaps: await all((page) => storage.queryGaps({}, page)),
    runs: await all((page) => storage.queryRuns({}, page)),
  };
}

async function all<T>(query: (page: { limit: number; cursor?: string }) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  do {
    const page = await query({ limit: 1_000, ...(cursor !== undefined && { cursor }) });
    items.push(...page.items);
    cursor = page.cursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}
