import type { JobRow, MemoryTables } from '../../lib/memory/tables.js';
import { resolvePolicies } from '../../lib/model/policies.js';
import type { Firing, FireResult } from '../../lib/ports/storage.adapter.js';
import { compileTrigger, type CompiledTrigger } from '../../lib/triggers/compiled.trigger.js';

/**
 * Looks at what moves the cursors: instants that are caught up together come to one run at most, of the latest of them, and one gap of the others; only `misfire: 'all'` runs
 * each. What is skipped for an overlap has met a run that was there before.
 */
export class FiringWatch {
  readonly faults: string[] = [];

  /** To be called before it is carried out; takes what has come of it. */
  before(tables: MemoryTables, firings: readonly Firing[]): (result: FireResult) => void {
    const jobs = new Map(firings.map(({ jobUid }) => [jobUid, tables.jobsByUid.get(jobUid)]));
    const busy = new Set(firings.map(({ jobUid }) => jobUid).filter((uid) => hasRun(jobs.get(uid))));
    return ({ moved, skipped }) => {
      for (const firing of firings) {
        const job = jobs.get(firing.jobUid);
        if (job && moved.includes(firing.jobUid)) this.look(job, firing);
      }
      for (const { jobUid, nominalAt } of skipped) {
        if (!busy.has(jobUid)) this.note(jobs.get(jobUid)!, nominalAt, 'was skipped, and nothing overlapped');
      }
    };
  }

  private look(job: JobRow, { nominalAt: from, until, births, gaps }: Firing): void {
    const { id, namespace, trigger, policies } = job.definition;
    if (trigger.type === 'interval' && trigger.mode === 'fixed-delay') return;
    const schedule = compileTrigger(trigger, `${namespace}/${id}`);
    const missed = gaps.filter(({ verdict }) => verdict === 'missed');
    if (missed.length > 1) this.note(job, from, `has ${missed.length} gaps`);
    if (resolvePolicies(policies).misfire === 'all' || births.length === 0) return;
    const [birth, ...more] = births;
    if (more.length > 0) this.note(job, from, `came to ${births.length} runs`);
    if (birth!.nominalAt !== until) this.note(job, birth!.nominalAt, 'ran, and is not the latest');
    const others = countIn(schedule, from, until) - 1;
    const onRecord = missed.reduce((sum, { count }) => sum + count, 0);
    if (onRecord !== others) this.note(job, from, `has ${onRecord} missed instants of ${others} on record`);
  }

  private note({ definition }: JobRow, at: number, what: string): void {
    this.faults.push(`${definition.id}: ${new Date(at).toISOString()} ${what}`);
  }
}

/** One that is in the way of the next. */
function hasRun(job: JobRow | undefined): boolean {
  return job !== undefined && [...job.runs].some(({ origin }) => origin !== 'backfill');
}

function countIn(schedule: CompiledTrigger, from: number, until: number): number {
  return 1 + schedule.countBetween(from, until, 1_000_000).count;
}
