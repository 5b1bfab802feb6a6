import type { OverdueJob } from '../model/overdue.js';
import type { EpochMs, OverdueJobs, OverdueNews, OverdueStore } from '../ports/storage.adapter.js';
import { isStopped } from './scopes.js';
import type { JobRow, MemoryTables, OverdueRow, Step } from './tables.js';

/** Overdue jobs in memory. */
export class MemoryOverdue implements OverdueStore {
  constructor(private readonly atomically: <T>(step: Step<T>, kind?: 'read') => Promise<T>) {}

  queryOverdue(limit: number, namespace?: string): Promise<OverdueJobs> {
    return this.atomically((tables, now) => {
      const { watched, rows } = overdueIn(tables, now);
      const own = rows.filter((row) => namespace === undefined || row.namespace === namespace);
      return { watched, jobs: own.slice(0, limit).map(toOverdueJob) };
    }, 'read');
  }

  noteOverdue(limit: number): Promise<OverdueNews> {
    return this.atomically((tables, now) => {
      const { watched, rows } = overdueIn(tables, now);
      const present = new Map(rows.map((row) => [keyOf(row), row]));
      const begun = [...present].filter(([key]) => !tables.overdue.has(key)).slice(0, limit);
      const ended = [...tables.overdue].filter(([key]) => !present.has(key)).slice(0, limit);
      for (const [key, row] of begun) tables.overdue.set(key, row);
      for (const [key] of ended) tables.overdue.delete(key);
      const told = (news: [string, OverdueRow][]): OverdueJob[] => news.map(([, row]) => toOverdueJob(row));
      return { watched, begun: told(begun), ended: told(ended) };
    });
  }
}

/** The longest overdue first. */
function overdueIn(tables: MemoryTables, now: EpochMs): { watched: boolean; rows: OverdueRow[] } {
  const rows: OverdueRow[] = [];
  let watched = false;
  for (const job of tables.jobsByUid.values()) {
    const { namespace, id, policies } = job.definition;
    const lateAfterMs = policies.lateAfterMs ?? null;
    if (job.kind === 'one-off' || lateAfterMs === null) continue;
    watched = true;
    const dueAt = firstUnbegun(job);
    if (job.pause !== null || dueAt + lateAfterMs >= now || isStopped(tables, job)) continue;
    rows.push({ namespace, jobId: id, dueAt, lateAfterMs });
  }
  return { watched, rows: rows.sort((a, b) => a.dueAt - b.dueAt) };
}

/** Infinity: there is none. */
function firstUnbegun({ cursorAt, runs }: JobRow): EpochMs {
  let first = cursorAt ?? Infinity;
  for (const { origin, verdict, attempt, open, held, nominalAt } of runs) {
    if (origin === 'schedule' && verdict === null && attempt === 0 && open === null && !held)
      first = Math.min(first, nominalAt);
  }
  return first;
}

function keyOf({ namespace, jobId, dueAt }: OverdueRow): string {
  return JSON.stringify([namespace, jobId, dueAt]);
}

function toOverdueJob({ namespace, jobId, dueAt, lateAfterMs }: OverdueRow): OverdueJob {
  return { namespace, id: jobId, dueAt: new Date(dueAt), lateAfterMs };
}
