import { definitionOfCode } from '../definitions/code.definitions.js';
import { unservedHandlerWords } from '../events/unserved.words.js';
import type { Job, JobRef } from '../model/job.js';
import {
  appear,
  type CarriedSet,
  type DefinitionChange,
  type NewJob,
  type StorageAdapter,
  type StoredDefinition,
} from '../ports/storage.adapter.js';
import type { HotMinute } from '../scheduler/forecast.js';
import { forecastJobs, type Forecastable } from '../scheduler/forecasting.js';
import { refKey } from '../scheduler/job.identity.js';
import { findUnservedHandlers } from '../scheduler/unserved.handlers.js';
import type { WorkflowRegistry } from '../workflows/workflow.registry.js';
import type { DeclaredJob, Exploration } from './declared.job.js';
import { declaredSet } from './declared.set.js';
import type { JobLists } from './job.lists.js';
import type { DeployPlan, PlannedGoneJob, PlannedWorkflows } from './deploy.plan.js';
import { changedJob, goneJobs, newJob, type Told } from './planned.jobs.js';
import { planSync, type SyncRules } from './sync.plan.js';

/** What a planner works with. */
export interface PlannerParts {
  storage: StorageAdapter;
  explore: () => Exploration;
  rules: SyncRules;
  workflows: WorkflowRegistry;
  /** What the code has. */
  handlers: () => readonly string[];
  lists: Pick<JobLists, 'begin' | 'end' | 'has' | 'warnings'>;
  /** Whether the lists are followed. */
  running: () => boolean;
}

/** What is stored of the app, and who declares it. */
interface Stored {
  jobs: readonly StoredDefinition[];
  carried: readonly CarriedSet[];
  now: number;
}

const pageSize = 1_000;

/**
 * Says what a deploy of this code would change, by the very plan that a worker of it would follow once it is the newest, and those of the release before are gone. Writes nothing.
 */
export class DeployPlanner {
  constructor(private readonly parts: PlannerParts) {}

  async plan(): Promise<DeployPlan> {
    const { lists, running } = this.parts;
    if (running()) return this.planned();
    try {
      await lists.begin();
      return await this.planned();
    } finally {
      await lists.end();
    }
  }

  private async planned(): Promise<DeployPlan> {
    const { rules, explore, storage, lists } = this.parts;
    const { jobs: declared } = explore();
    const stored = await this.read(declared);
    const { changes } = planSync(declared, stored.jobs, this.afterwards(declared, stored), stored.now, rules);
    const views = await this.viewsOf(stored.jobs);
    const places = new Map(declared.map(({ definition, place }) => [refKey(definition), place]));
    const taken = await this.takenOf(changes, places);
    const isTaken = new Set(taken.map(refKey));
    const inserted = changes.flatMap((change) =>
      change.kind === 'insert' && !isTaken.has(refKey(change.job)) ? change.job : [],
    );
    const isRead = (list: string): boolean => lists.has(list);
    const told: Told = { ...stored, rules, declared, changes, views, places, isRead };
    const created = inserted.map((job) => newJob(job, told));
    const changed = changes.flatMap((change) => changedJob(change, told));
    const gone = goneJobs(told);
    const workflows = await this.workflows();
    const counts = [created, changed, gone, taken, workflows.created, workflows.changed, workflows.gone];
    const touched = new Set(changes.flatMap((change) => (change.kind === 'insert' ? [] : change.uid)));
    const hotMinutes = await this.hotMinutes(
      (await storage.now()) || stored.now,
      changes.filter((change) => !(change.kind === 'insert' && isTaken.has(refKey(change.job)))),
      gone,
      stored,
    );
    return {
      app: rules.app,
      at: new Date(stored.now),
      isEmpty: counts.every((list) => list.length === 0),
      created: created.toSorted(byRef),
      changed: changed.toSorted(byRef),
      gone: gone.toSorted(byRef),
      taken,
      unchanged: stored.jobs.filter(
        (job) =>
          job.app === rules.app &&
          job.orphanedAt === null &&
          !touched.has(job.uid) &&
          places.has(refKey(job)),
      ).length,
      workflows,
      lacks: await this.lacks(),
      warnings: lists.warnings(),
      hotMinutes,
    };
  }

  /** By the call that would sync, with nobody who carries the set and nothing to be changed. */
  private async read(declared: readonly DeclaredJob[]): Promise<Stored> {
    const { storage, rules } = this.parts;
    let found: Stored = { jobs: [], carried: [], now: 0 };
    await storage.syncDefinitions({
      app: rules.app,
      ...declaredSet(declared),
      workerId: null,
      graceMs: rules.orphanGraceMs,
      previousApps: rules.previousApps,
      plan: (jobs, carried, now) => {
        found = { jobs, carried, now };
        return { changes: [], outranked: [] };
      },
    });
    return found;
  }

  /** This set is the newest, and all others were carried until a moment ago. */
  private afterwards(declared: readonly DeclaredJob[], { carried, now }: Stored): CarriedSet[] {
    const { setHash: _, declarations } = declaredSet(declared);
    const place = Math.max(0, ...carried.map((set) => set.place)) + 1;
    const own = { place, carriedUntil: null, declarations: appear(declarations, [], place) };
    return [...carried.map((set) => ({ ...set, carriedUntil: set.carriedUntil ?? now })), own];
  }

  private async viewsOf(stored: readonly StoredDefinition[]): Promise<ReadonlyMap<string, Job>> {
    const views = new Map<string, Job>();
    const apps = new Set(stored.map(({ app }) => app));
    for (const app of apps) {
      for (let cursor: string | null | undefined; cursor !== null;) {
        const page = await this.parts.storage.queryJobs(
          { source: 'code', app },
          { limit: pageSize, ...(cursor === undefined ? {} : { cursor }) },
        );
        for (const job of page.items) views.set(refKey(job), job);
        ({ cursor } = page);
      }
    }
    return views;
  }

  private async takenOf(
    changes: readonly DefinitionChange[],
    places: ReadonlyMap<string, string>,
  ): Promise<DeployPlan['taken']> {
    const taken: DeployPlan['taken'] = [];
    for (const change of changes) {
      if (change.kind !== 'insert') continue;
      const { namespace, id } = change.job;
      if ((await this.parts.storage.getJob({ namespace, id })) === null) continue;
      taken.push({ namespace, id, place: places.get(refKey({ namespace, id })) ?? '' });
    }
    return taken;
  }

  private async workflows(): Promise<PlannedWorkflows> {
    const { storage, workflows, rules } = this.parts;
    const found: PlannedWorkflows = { created: [], changed: [], gone: [] };
    const { definitions } = storage;
    if (definitions === undefined) return found;
    const known = workflows.all().map((each) => definitionOfCode(each, rules.app));
    const names = new Set(known.map(refName));
    for (const one of known) {
      const ref = { namespace: one.namespace, name: one.name };
      const latest = await definitions.getDefinition(ref, null);
      if (latest === null) found.created.push(one.name);
      else if (latest.hash !== one.hash) found.changed.push({ name: one.name, fromVersion: latest.version });
    }
    for (let cursor: string | null | undefined; cursor !== null;) {
      const filter = { kind: 'workflow', app: rules.app, latest: true } as const;
      const page = await definitions.queryDefinitions(filter, {
        limit: pageSize,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const one of page.items) {
        if (one.source === 'code' && !names.has(refName(one)))
          found.gone.push({ name: one.name, version: one.version });
      }
      ({ cursor } = page);
    }
    return found;
  }

  private async lacks(): Promise<string[]> {
    const { storage, rules, handlers } = this.parts;
    const own = { app: rules.app, handlers: handlers(), withLive: false };
    const found = await findUnservedHandlers(storage, own);
    return found.map((each) => `${unservedHandlerWords(each)}, which this release lacks.`);
  }

  private async hotMinutes(
    now: number,
    changes: readonly DefinitionChange[],
    gone: readonly PlannedGoneJob[],
    stored: Stored,
  ): Promise<DeployPlan['hotMinutes']> {
    const { storage: jobs, rules } = this.parts;
    const parts = { jobs, now, calendars: rules.calendars, timeZone: 'UTC' };
    const before = await forecastJobs({}, parts);
    const refs = new Map(stored.jobs.map((job) => [job.uid, refKey(job)]));
    const away = new Set(gone.map(refKey));
    const later = new Map<string, Forecastable>();
    const extra: Forecastable[] = [];
    for (const change of changes) {
      if (change.kind === 'insert') extra.push(forecastable(change.job));
      else if (change.kind === 'update') later.set(refs.get(change.uid)!, forecastable(change.job));
      else if (change.kind !== 'adopt') away.add(refs.get(change.uid)!);
    }
    const edit = (job: Forecastable): Forecastable | null => {
      const key = refKey(job);
      if (away.has(key)) return null;
      const changed = later.get(key);
      return changed === undefined
        ? job
        : { ...changed, pausedBy: job.pausedBy, nextRunAt: job.pausedBy === null ? changed.nextRunAt : null };
    };
    const after = await forecastJobs({}, { ...parts, edit, extra });
    return { before: hottest(before.hotMinutes), after: hottest(after.hotMinutes) };
  }
}

const minutesShown = 3;

function hottest(minutes: readonly HotMinute[]): HotMinute[] {
  return minutes.slice(0, minutesShown);
}

function forecastable({ namespace, id, trigger, timeZone, nextAt }: NewJob): Forecastable {
  const nextRunAt = nextAt === null || nextAt === Infinity ? null : new Date(nextAt);
  return { namespace, id, trigger, timeZone, nextRunAt, pausedBy: null, orphanedAt: null };
}

function refName({ namespace, name }: { namespace: string; name: string }): string {
  return `${namespace}/${name}`;
}

function byRef(one: JobRef, other: JobRef): number {
  return refKey(one) < refKey(other) ? -1 : 1;
}
