import type { RunOrigin } from '../model/run.js';
import type { EpochMs } from '../ports/storage.adapter.js';
import { definitionValues } from './job.rows.js';
import type { Run } from './statement.runner.js';
import { addressOf, type StoredJob, type StoredRecurring } from './stored.job.js';

/** The history of a job as the tables hold it: taken from one row and given to another, not looked into. */
export type Statistics = object;

export async function statisticsOf(run: Run, job: StoredJob): Promise<Statistics> {
  const [row] = await run<{ statistics: Statistics }>('readStatistics', ...addressOf(job));
  return row.statistics;
}

/** Stores a job, whose former rows are gone, as a one-off that is due then. Returns the id of its run. */
export async function bearOneOff(
  run: Run,
  job: StoredJob,
  statistics: Statistics,
  dueAt: EpochMs,
  origin: RunOrigin,
): Promise<string> {
  const former = origin === 'retry' && job.kind === 'one-off' ? job.runId : null;
  const values = [...identityValues(job), dueAt, origin, former, JSON.stringify(statistics)];
  const [{ id }] = await run<{ id: string }>('bearOneOff', ...values);
  return id;
}

/** Stores a job, whose former rows are gone, as a recurring one without a cursor. */
export async function bearRecurring(
  run: Run,
  job: StoredJob,
  statistics: Statistics,
): Promise<StoredRecurring> {
  const generation = job.kind === 'recurring' ? job.generation : 0;
  const values = [...identityValues(job), generation, JSON.stringify(statistics)];
  const [{ uid }] = await run<{ uid: string }>('bearRecurring', ...values);
  const { definition, definitionHash, source, app, revision, createdAt, paused } = job;
  const facts = { definition, definitionHash, source, app, revision, createdAt, paused };
  return {
    kind: 'recurring',
    ...facts,
    uid,
    generation,
    orphanedAt: null,
    orphanedReason: null,
    previousIds: [],
    changes: null,
    lastFiredUntil: null,
    firedUntil: null,
    openGap: null,
  };
}

function identityValues(job: StoredJob): unknown[] {
  const { definition, paused } = job;
  const pause = [paused?.at ?? null, paused?.reason ?? null, paused?.by ?? null];
  const facts = [job.definitionHash, job.source, job.app, job.revision, job.createdAt];
  return [definition.namespace, definition.id, ...definitionValues(definition), ...facts, ...pause];
}
