import type { Job, JobDefinition } from '../model/job.js';
import type { CarriedSet, DefinitionChange, NewJob, StoredDefinition } from '../ports/storage.adapter.js';
import { refKey } from '../scheduler/job.identity.js';
import type { InstantRemark } from '../triggers/clock.remarks.js';
import type { DeclaredJob } from './declared.job.js';
import type { PlannedChangedJob, PlannedGoneJob, PlannedNewJob } from './deploy.plan.js';
import { listPartOf } from './listed.hash.js';
import { changedFields } from './planned.fields.js';
import { plannedRemarks, plannedSchedule } from './planned.schedule.js';
import type { SyncRules } from './sync.plan.js';

/** What a plan is told from. */
export interface Told {
  /** Stored ones of the app, and who carries what. */
  jobs: readonly StoredDefinition[];
  carried: readonly CarriedSet[];
  now: number;
  rules: SyncRules;
  declared: readonly DeclaredJob[];
  changes: readonly DefinitionChange[];
  /** Stored jobs as users see them, and where the code declares jobs; by `namespace/id`. */
  views: ReadonlyMap<string, Job>;
  places: ReadonlyMap<string, string>;
  /** Whether this code reads the list. */
  isRead: (list: string) => boolean;
}

/** One that is to be stored. */
export function newJob(job: NewJob, told: Told): PlannedNewJob {
  const { calendars } = told.rules;
  return {
    namespace: job.namespace,
    id: job.id,
    place: told.places.get(refKey(job)) ?? '',
    after: plannedSchedule(job, job.nextAt, calendars),
    remarks: remarksOf(job, told),
  };
}

/** One that is stored and becomes another one; none: it is among the new ones, or those that are gone. */
export function changedJob(change: DefinitionChange, told: Told): PlannedChangedJob[] {
  const { jobs, views, places, rules } = told;
  if (change.kind === 'insert' || change.kind === 'delete') return [];
  const { calendars, app } = rules;
  const was = jobs.find(({ uid }) => uid === change.uid)!;
  // What nobody carries is among those that are gone.
  if (change.kind === 'orphan' && change.reason !== 'superseded') return [];
  const view = views.get(refKey(was));
  if (view === undefined) return [];
  const standsAt = view.nextRunAt?.getTime() ?? null;
  const next = change.kind === 'update' ? change.job : view;
  const isRenamed = refKey(next) !== refKey(was);
  const nextAt =
    change.kind === 'orphan' || was.paused
      ? null
      : change.kind === 'update' && (change.moveCursor || was.orphanedAt !== null)
        ? change.job.nextAt
        : change.kind === 'adopt' && standsAt === null
          ? (change.nextAt ?? null)
          : standsAt;
  const kind =
    change.kind === 'orphan'
      ? 'superseded'
      : isRenamed
        ? 'renamed'
        : change.kind === 'adopt' || was.orphanedAt !== null
          ? 'adopted'
          : 'changed';
  return [
    {
      namespace: next.namespace,
      id: next.id,
      kind,
      from: was.id,
      fromApp: was.app === app ? null : was.app,
      place: places.get(refKey(next)) ?? '',
      isPaused: was.paused,
      fields: change.kind === 'update' ? changedFields(view, change.job) : [],
      changedAtRunTime: Object.keys(
        change.kind === 'update' ? (change.changed ?? {}) : (view.changed ?? {}),
      ).toSorted(),
      before: plannedSchedule(view, standsAt, calendars),
      after: plannedSchedule(next, nextAt, calendars),
      remarks: change.kind === 'orphan' ? [] : remarksOf(next, told),
    },
  ];
}

/** That of a single time is known from how the code says it. */
function remarksOf(
  job: Pick<JobDefinition, 'namespace' | 'id' | 'trigger' | 'timeZone'>,
  { declared, now, rules: { calendars } }: Told,
): InstantRemark[] {
  const { trigger } = job;
  if (trigger.type !== 'at') return plannedRemarks(job, now, calendars);
  const own = declared.find(({ definition }) => refKey(definition) === refKey(job));
  const isAsDeclared = own?.definition.trigger.type === 'at' && own.definition.trigger.at === trigger.at;
  return isAsDeclared ? [...(own.remarks ?? [])] : [];
}

/** Those that nobody declares any more; of a list that is read, those that are known not to be in it. */
export function goneJobs({ declared, jobs, carried, changes, views, rules, isRead }: Told): PlannedGoneJob[] {
  const { app, orphans, calendars } = rules;
  const kept = new Set(declared.map(({ definition }) => refKey(definition)));
  const dealtWith = new Set(
    changes.flatMap((change) => (change.kind === 'insert' || change.kind === 'delete' ? [] : change.uid)),
  );
  const takenOut = new Set(
    changes.flatMap((change) =>
      change.kind === 'orphan' && change.reason === 'undeclared' ? change.uid : [],
    ),
  );
  const live = new Set(
    carried
      .filter(({ carriedUntil }) => carriedUntil === null)
      .flatMap((set) => set.declarations.map(refKey)),
  );
  return jobs.flatMap((job) => {
    const view = views.get(refKey(job));
    const list = listPartOf(job.definitionHash)?.list ?? null;
    if (view === undefined || job.app !== app || job.orphanedAt !== null) return [];
    if (kept.has(refKey(job))) return [];
    if (!takenOut.has(job.uid) && (dealtWith.has(job.uid) || (list !== null && isRead(list)))) return [];
    return {
      namespace: job.namespace,
      id: job.id,
      outcome: orphans === 'delete' ? 'deleted' : 'orphaned',
      isDeclared: live.has(refKey(job)),
      before: plannedSchedule(view, view.nextRunAt?.getTime() ?? null, calendars),
    };
  });
}
