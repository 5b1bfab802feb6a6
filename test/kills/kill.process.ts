import 'reflect-metadata';
import { writeSync } from 'node:fs';
import { extname } from 'node:path';
import { disk, type Disk } from '../../lib/file/file.disk.js';
import { formatOf } from '../../lib/file/file.formats.js';
import { FileJournal } from '../../lib/file/file.journal.js';
import { JournaledStorage } from '../../lib/journal/journaled.storage.js';
import type { NewJob, StorageAdapter } from '../../lib/index.js';
import { SqliteJournal } from '../../lib/sqlite/sqlite.journal.js';
import { addOneOff, ref, registrationOf, settlementOf } from '../../lib/testing/laws/fixture.js';
import type { KillPlan, Told } from './kill.plan.js';

// Works on a storage in a file, and tells of each call before it is made and when it has resolved, until it is killed.
const plan = JSON.parse(process.argv[2]) as KillPlan;
/** So short that the document is written every few calls. */
const shortest = 3_000;
const isSqlite = extname(plan.path) === '.db';

function tell(told: Told): void {
  writeSync(1, `${JSON.stringify(told)}\n`);
}

/** The disk, which ends the process at its time. */
function ending(on: Disk): Disk {
  let actions = 0;
  const die = (): void => process.kill(process.pid, 'SIGKILL') as unknown as void;
  const around =
    <Args extends unknown[], T>(
      act: (...args: Args) => Promise<T>,
      half: (...args: Args) => Promise<unknown>,
    ) =>
    async (...args: Args): Promise<T> => {
      const isLast = ++actions === plan.end?.action;
      if (isLast && plan.end?.place === 'before') die();
      if (isLast && plan.end?.place === 'within') {
        await half(...args);
        die();
      }
      const result = await act(...args);
      if (isLast) die();
      return result;
    };
  const none = async (): Promise<void> => undefined;
  return {
    open: around(on.open, none),
    write: around(on.write, (file, data, position) =>
      on.write(file, data.subarray(0, Math.ceil(data.length * Math.random())), position),
    ),
    sync: around(on.sync, none),
    truncate: around(on.truncate, (file, length) => on.truncate(file, length)),
    rename: around(on.rename, none),
    close: around(on.close, none),
    syncFolder: around(on.syncFolder, none),
  };
}

async function all<T>(
  read: (cursor?: string) => Promise<{ items: T[]; cursor: string | null }>,
): Promise<T[]> {
  const found: T[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await read(cursor);
    found.push(...page.items);
    if (page.cursor === null) return found;
    cursor = page.cursor;
  }
}

async function act<T>(kind: 'create' | 'delete' | 'settle', id: string, work: () => Promise<T>): Promise<T> {
  tell({ kind: 'begin', act: kind, id });
  const result = await work();
  tell({ kind: 'done', act: kind, id });
  return result;
}

/** Jobs are created, and half of them run or deleted, without an end. */
async function lane(storage: StorageAdapter, name: string): Promise<never> {
  const worker = registrationOf({ handlers: [name] });
  await storage.register(worker, 600_000);
  const capability = {
    workerId: worker.id,
    app: worker.app,
    queues: worker.queues,
    handlers: worker.handlers,
  };
  for (let nth = 0; ; nth++) {
    const id = `${name}-${nth}`;
    const given: Partial<NewJob> = {
      id,
      handler: nth % 3 === 0 ? name : 'nobody',
      payload: 'x'.repeat(nth % 200),
    };
    await act('create', id, () => addOneOff(storage, given));
    if (nth % 3 === 1) await act('delete', id, () => storage.deleteJob(ref(id)));
    if (nth % 3 !== 0) continue;
    const { runs } = await storage.claim(capability, 1);
    for (const run of runs) {
      const settlement = await settlementOf(storage, run);
      await act('settle', run.id, () => storage.settle([settlement]));
    }
  }
}

const journal = isSqlite
  ? new SqliteJournal(plan.path, 'auto')
  : new FileJournal(plan.path, formatOf(plan.path), ending(disk), shortest);
const storage = JournaledStorage.on('killed', plan.path, journal, {});
await storage.init();
const jobs = await all((cursor) => storage.queryJobs({}, { limit: 1_000, cursor }));
const attempts = await all((cursor) => storage.queryAttempts({}, { limit: 1_000, cursor }));
tell({
  kind: 'found',
  jobs: jobs.map(({ id }) => id),
  runs: attempts.filter(({ outcome }) => outcome === 'succeeded').map(({ runId, jobId }) => [runId, jobId]),
});
await Promise.all(Array.from({ length: 4 }, (_, nth) => lane(storage, `${plan.round}-${nth}`)));
