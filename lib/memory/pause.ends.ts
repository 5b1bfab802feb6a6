import { pauseRow, type StandingPause } from '../model/pause.js';
import type { EndedPauses, EpochMs, PauseEndPlans } from '../ports/storage.adapter.js';
import { resumeJob } from './controls.js';
import { toPause } from './own.pause.js';
import { onlyRun } from './rows.to.views.js';
import { resumeScope } from './scopes.js';
import { keyOf, type JobRow, type MemoryTables, type OwnPause, type PauseRow } from './tables.js';

type Timed = { until: EpochMs; pause: StandingPause } & ({ job: JobRow } | { scope: PauseRow });

/** When the first pause ends that a worker of this app may end. */
export function earliestPauseEnd(tables: MemoryTables, app: string): EpochMs | null {
  const [first] = timedPauses(tables, app);
  return first?.until ?? null;
}

export function endPauses(
  tables: MemoryTables,
  now: EpochMs,
  app: string,
  plans: PauseEndPlans,
  limit: number,
): EndedPauses {
  const due = timedPauses(tables, app).filter(({ until }) => until <= now);
  const ended: StandingPause[] = [];
  const refused: EndedPauses['refused'] = [];
  for (const one of due.slice(0, limit)) {
    try {
      if ('scope' in one) resumeScope(tables, now, one.scope, plans.scope);
      else resumeJob(tables, now, one.job, plans.job(one.job.definition));
      ended.push(one.pause);
    } catch (error) {
      refused.push({ row: pauseRow(one.pause), error });
    }
  }
  return { ended, more: due.length > limit, refused };
}

export function stalePauses(
  tables: MemoryTables,
  now: EpochMs,
  standingMs: number,
  limit: number,
  untold: boolean,
): StandingPause[] {
  const isStale = ({ at, until, told }: OwnPause): boolean =>
    until === undefined && at <= now - standingMs && !(untold && told);
  const jobs = [...tables.jobsByUid.values()].filter(
    ({ kind, pause }) => kind === 'recurring' && pause !== null && isStale(pause),
  );
  return [
    ...jobs.map((job) => ofJob(job, job.pause!)),
    ...[...tables.pauses.values()].filter(isStale).map(ofScope),
  ]
    .sort((a, b) => a.at.getTime() - b.at.getTime())
    .slice(0, limit);
}

export function notePauses(tables: MemoryTables, pauses: readonly StandingPause[]): StandingPause[] {
  return pauses.filter(({ kind, namespace, name, at }) => {
    const isNew = (pause: OwnPause | null | undefined): pause is OwnPause =>
      pause != null && pause.at === at.getTime() && pause.until === undefined && !pause.told;
    if (kind === 'job') {
      const job = tables.jobs.get(keyOf({ namespace: namespace!, id: name }));
      if (!job || !isNew(job.pause)) return false;
      job.pause = { ...job.pause, told: true };
      return true;
    }
    for (const [key, pause] of tables.pauses) {
      if (pause.kind !== kind || pause.name !== name || !isNew(pause)) continue;
      tables.pauses.set(key, { ...pause, told: true });
      return true;
    }
    return false;
  });
}

/** The first to end first. */
function timedPauses(tables: MemoryTables, app: string): Timed[] {
  const timed: Timed[] = [];
  for (const job of tables.timedPauses) {
    const until = job.pause?.until;
    const isGone = tables.jobsByUid.get(job.uid) !== job;
    if (until === undefined || isGone || (job.kind === 'one-off' && onlyRun(job).verdict !== null))
      tables.timedPauses.delete(job);
    else if (job.kind === 'one-off' || job.app === null || job.app === app) {
      timed.push({ until, job, pause: ofJob(job, job.pause!) });
    }
  }
  for (const scope of tables.pauses.values()) {
    if (scope.until !== undefined) timed.push({ until: scope.until, scope, pause: ofScope(scope) });
  }
  return timed.sort((a, b) => a.until - b.until);
}

function ofJob({ definition: { namespace, id } }: JobRow, pause: OwnPause): StandingPause {
  return { kind: 'job', namespace, name: id, ...toPause(pause) };
}

function ofScope({ kind, name, ...pause }: PauseRow): StandingPause {
  return { kind, namespace: null, name, ...toPause(pause) };
}
