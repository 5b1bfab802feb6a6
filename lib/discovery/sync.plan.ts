import type { JobDefinition, JobRef } from '../model/job.js';
import { redeclared } from '../model/job.changes.js';
import { stableJson } from '../model/json.js';
import type { Calendars, Trigger } from '../model/trigger.js';
import type {
  CarriedSet,
  DefinitionChange,
  NewJob,
  StoredDefinition,
  SyncPlan,
} from '../ports/storage.adapter.js';
import { beginSchedule } from '../scheduler/job.definition.js';
import { refKey } from '../scheduler/job.identity.js';
import type { DeclaredJob } from './declared.job.js';
import { effectiveDeclarations, previousKeys } from './effective.declarations.js';
import { listPartOf, type ListPart } from './listed.hash.js';

/** What to do about jobs that the code does not declare any more. */
export type OrphanPolicy = 'keep' | 'delete';

export interface SyncRules {
  app: string;
  /** Whose jobs this app takes over. */
  previousApps: readonly string[];
  /** What exclusions may name. */
  calendars: Calendars;
  orphans: OrphanPolicy;
  /** How long a job that no worker carries goes on, and then is orphaned before `delete` deletes it: a rollback may want it back. */
  orphanGraceMs: number;
  /** Which stored jobs of lists would be known to be there still. */
  lists: { knows(from: ListPart): boolean };
}

/**
 * What makes the stored jobs of an app agree with what its live workers declare, as far as a process that carries `declared` can see to it; a pure function.
 *
 * Whoever asks may hold what must not fire: an id whose method runs under another one (orphaned as `superseded`). What is in force is written by a process that carries it:
 * new → insert · changed → update, which leaves what was changed at run time, and moves the cursor if the schedule or zone that holds changed · unchanged → nothing · renamed (`previousIds`), or renamed back when the code that
 * renamed it has gone → update of the job under its other id · orphaned and declared again → adopt, from where it stood; but what was superseded goes on with the first instant from now, as
 * its method ran meanwhile. What nobody carries is left alone, as its workers may be about to come back: the janitor orphans it when they do not.
 * But a job of a list that this process reads is orphaned at once when no list has it any more; if it comes back, it goes on with the first instant from then.
 */
export function planSync(
  declared: readonly DeclaredJob[],
  stored: readonly StoredDefinition[],
  carried: readonly CarriedSet[],
  now: number,
  rules: SyncRules,
): SyncPlan {
  const storedByKey = new Map(stored.map((job) => [refKey(job), job]));
  const live = carried.filter(({ carriedUntil }) => carriedUntil === null);
  const { effective, superseded } = effectiveDeclarations(live.map((set) => withHandlers(set, storedByKey)));
  const held = new Set(live.flatMap(({ declarations }) => declarations.map(refKey)));
  const kept = new Set(carried.flatMap(({ declarations }) => declarations.map(refKey)));
  const methods = new Set([...effective.values()].map(({ handler }) => handler));
  const renamedKeys = new Set([...effective.values()].flatMap(previousKeys));
  const dealtWith = lastFired(stored);
  const inUse = new Set<string>();
  const changes: DefinitionChange[] = [];
  const outranked: JobRef[] = [];

  for (const job of declared) {
    const key = refKey(job.definition);
    const inForce = effective.get(key);
    if (inForce?.hash !== job.hash) {
      outranked.push({ namespace: job.definition.namespace, id: job.definition.id });
      continue;
    }
    const existing = storedByKey.get(key) ?? renamed(job) ?? renamedBack(job);
    if (existing) inUse.add(existing.uid);
    const change = existing ? changeOf(job, existing) : insert(job);
    if (change) changes.push(change);
  }
  for (const job of stored) {
    if (inUse.has(job.uid) || job.app !== rules.app) continue;
    if (isToGo(job)) changes.push({ kind: 'delete', uid: job.uid });
    else if (isGone(job)) changes.push({ kind: 'orphan', uid: job.uid, reason: 'undeclared' });
    else if (isSuperseded(job) && job.orphanedReason !== 'superseded')
      changes.push({ kind: 'orphan', uid: job.uid, reason: 'superseded' });
  }
  return { changes, outranked };

  function isToGo(job: StoredDefinition): boolean {
    if (rules.orphans === 'keep' || job.orphanedAt === null || kept.has(refKey(job))) return false;
    return now - job.orphanedAt >= rules.orphanGraceMs;
  }

  function isGone(job: StoredDefinition): boolean {
    const list = listPartOf(job.definitionHash);
    return list !== null && job.orphanedAt === null && rules.lists.knows(list) && !held.has(refKey(job));
  }

  function isSuperseded(job: StoredDefinition): boolean {
    if (listPartOf(job.definitionHash) !== null) return false;
    const key = refKey(job);
    const inForce = effective.get(key);
    // It is to get another method, but by processes that have not seen to it yet: until then it would fire the one that has another id now.
    if (inForce !== undefined) return inForce.handler !== job.handler && methods.has(job.handler);
    return superseded.has(key) || renamedKeys.has(key) || methods.has(job.handler);
  }

  /** The job under the id that this declaration renames. */
  function renamed(job: DeclaredJob): StoredDefinition | undefined {
    const { namespace } = job.definition;
    return previousKeys({ namespace, previousIds: job.previousIds })
      .map((key) => storedByKey.get(key))
      .find((found) => found !== undefined && isFree(found));
  }

  /** The job that had this id until code renamed it whose word does not hold any more; of another app, if it is the same method. */
  function renamedBack({
    definition: { namespace, id, handler },
  }: DeclaredJob): StoredDefinition | undefined {
    return stored.find(
      (found) =>
        found.namespace === namespace &&
        found.previousIds.includes(id) &&
        (found.handler === handler ||
          (found.app === rules.app && (found.orphanedReason === 'superseded' || kept.has(refKey(found))))) &&
        isFree(found),
    );
  }

  function isFree(job: StoredDefinition): boolean {
    return !effective.has(refKey(job)) && !inUse.has(job.uid);
  }

  function insert(job: DeclaredJob): DefinitionChange {
    return { kind: 'insert', job: newJob(job, rules, now, from(methodOf(job))) };
  }

  /** The schedule of a method that ran under another id goes on after what that has dealt with: no instant is run twice. Some may be fired ahead. */
  function from(method: string | null): number {
    return Math.max(now, firedBy(method) ?? now);
  }

  function firedBy(method: string | null): number | undefined {
    return method === null ? undefined : dealtWith.get(method);
  }

  function changeOf(job: DeclaredJob, found: StoredDefinition): DefinitionChange | null {
    const returns = job.list !== undefined && found.orphanedAt !== null;
    const wasSuperseded = found.orphanedReason === 'superseded' || returns;
    const isSame =
      found.definitionHash === job.hash &&
      found.app === rules.app &&
      refKey(found) === refKey(job.definition);
    const method = methodOf(job);
    const isOther = found.handler !== job.definition.handler;
    const startAt = wasSuperseded || isOther ? from(method) : now;
    if (isSame) {
      if (found.orphanedAt === null) return null;
      if (!wasSuperseded) return { kind: 'adopt', uid: found.uid };
      const { nextAt } = begin({ ...job.definition, trigger: found.trigger }, startAt, rules, now);
      return { kind: 'adopt', uid: found.uid, nextAt };
    }
    // A changed interval keeps its anchor.
    const declaredBefore = (found.changed?.changes.trigger?.declared ?? found.trigger) as Trigger;
    const anchor = declaredBefore.type === 'interval' ? declaredBefore.anchor : undefined;
    const declaredNow = newJob(job, rules, anchor === undefined ? now : Date.parse(anchor), startAt);
    const { definition, changes: changed } = redeclared(found.changed, {
      ...job.definition,
      trigger: declaredNow.trigger,
    });
    const next: NewJob = { ...declaredNow, ...definition };
    const isRescheduled =
      next.timeZone !== found.timeZone || stableJson(next.trigger) !== stableJson(found.trigger);
    // Of a method that it gets it may be about to run what that has run under the id it had.
    const ranElsewhere =
      wasSuperseded || (isOther && (firedBy(method) ?? -Infinity) > (found.firedUntil ?? -Infinity));
    if (ranElsewhere && !isRescheduled) next.nextAt = begin(next, startAt, rules, now).nextAt;
    const moveCursor = isRescheduled || ranElsewhere;
    return { kind: 'update', uid: found.uid, job: next, moveCursor, changed };
  }
}

/** A set of a release that kept no declarations: what runs its jobs is known of those that are stored. */
function withHandlers(set: CarriedSet, stored: ReadonlyMap<string, StoredDefinition>): CarriedSet {
  const declarations = set.declarations.map((declaration) => ({
    ...declaration,
    handler: declaration.handler ?? stored.get(refKey(declaration))?.handler ?? null,
  }));
  return { ...set, declarations };
}

/** What it has for itself under its id; null: others may have its handler as well. */
function methodOf({ definition: { handler }, list }: DeclaredJob): string | null {
  return list === undefined ? handler : null;
}

/** Of each method, under whatever id. */
function lastFired(stored: readonly StoredDefinition[]): ReadonlyMap<string, number> {
  const fired = new Map<string, number>();
  for (const { handler, firedUntil, definitionHash } of stored) {
    if (firedUntil !== null && listPartOf(definitionHash) === null)
      fired.set(handler, Math.max(firedUntil, fired.get(handler) ?? -Infinity));
  }
  return fired;
}

/** A declared job as it is to be stored; its schedule goes on after `after`. */
export function newJob(
  { definition, hash }: DeclaredJob,
  { app, calendars }: SyncRules,
  anchor: number,
  after: number,
): NewJob {
  return {
    ...definition,
    ...beginSchedule(definition, after, calendars, anchor),
    source: 'code',
    app,
    definitionHash: hash,
  };
}

/** Where a schedule goes on whose instants until then ran under another id; a single instant that is past did. */
function begin(
  definition: Pick<JobDefinition, 'namespace' | 'id' | 'trigger'>,
  after: number,
  { calendars }: SyncRules,
  anchor: number,
): { nextAt: number | null } {
  const { nextAt } = beginSchedule(definition, after, calendars, anchor);
  return { nextAt: nextAt !== null && nextAt <= after ? null : nextAt };
}
