import { isOwnHandler } from '../engine/own.handlers.js';
import type { JobFilter, JobState } from '../model/job.js';
import type { UnservedHandler } from '../model/unserved.handler.js';
import type { StorageAdapter } from '../ports/storage.adapter.js';

/** So many handlers are looked at at most. */
const mostHandlers = 100;
/** Also those that are paused: they fire again when that is over. */
const firing: readonly JobState[] = ['pending', 'scheduled', 'running', 'paused', 'waiting'];

/** What a process has. */
export interface OwnHandlers {
  app: string;
  handlers: readonly string[];
  /** Whether what live workers of the app have counts as there. */
  withLive: boolean;
}

type Reads = Pick<StorageAdapter, 'queryWorkers' | 'takeStock' | 'countJobs' | 'queryJobs' | 'now'>;

/**
 * Handlers that jobs of the app need which were made at run time, and that are lacking, by name. Declared jobs go with the code. Looked for are handlers that a worker of the app has had, and, without `withLive`, those of runs that were put off; jobs are
 * read only where one of these is lacking. Rejects when the storage cannot be reached.
 */
export async function findUnservedHandlers(storage: Reads, own: OwnHandlers): Promise<UnservedHandler[]> {
  const lacking = await lackingHandlers(storage, own);
  const found: UnservedHandler[] = [];
  for (const handler of lacking.slice(0, mostHandlers)) {
    const filter: JobFilter = { app: own.app, handler, source: 'api', state: [...firing] };
    const [first] = (await storage.queryJobs(filter, { limit: 1 })).items;
    if (first === undefined) continue;
    const { namespace, id } = first;
    found.push({ handler, jobs: await storage.countJobs(filter), example: { namespace, id } });
  }
  return found;
}

async function lackingHandlers(storage: Reads, { app, handlers, withLive }: OwnHandlers): Promise<string[]> {
  const workers = (await storage.queryWorkers()).filter((worker) => worker.app === app);
  const there = new Set(handlers);
  if (withLive) {
    const now = await storage.now();
    for (const { leaseUntil, handlers: live } of workers)
      if (leaseUntil.getTime() > now) for (const handler of live) there.add(handler);
  }
  // What no live process has of these is told by `runs.deferred`.
  const putOff = withLive ? [] : ((await storage.takeStock?.())?.unclaimable ?? []);
  const known = [...workers.flatMap((worker) => worker.handlers), ...putOff.map(({ handler }) => handler)];
  return [...new Set(known)].filter((name) => !there.has(name) && !isOwnHandler(name)).toSorted();
}
