import type { DefinitionChange, NewJob, StoredDefinition } from '../ports/storage.adapter.js';
import { stableJson } from '../scheduler/definition.hash.js';
import { beginSchedule } from '../scheduler/job.definition.js';
import { refKey } from '../scheduler/job.identity.js';
import type { Calendars } from '../model/trigger.js';
import type { DeclaredJob } from './declared.job.js';

/** What to do about jobs that the code does not declare any more. */
export type OrphanPolicy = 'keep' | 'delete';

export interface SyncRules {
  app: string;
  /** What exclusions may name. */
  calendars: Calendars;
  orphans: OrphanPolicy;
  /** How long a job has to be orphaned before `delete` deletes it: a rollback may want it back. */
  orphanGraceMs: number;
}

/**
 * What makes the stored jobs of an app agree with its code; a pure function.
 *
 * new → insert · changed → update, which moves the cursor if the schedule or zone changed · unchanged → nothing · renamed
 * (`previousIds`) → update of the job under its old id · orphaned and declared again → adopt · gone → left alone, as an older
 * release may still run it, and orphaned by the janitor when none does; but orphaned at once if this code has the handler, which would
 * go on to run it under a schedule that is not declared any more.
 */
export function planSync(
  declared: readonly DeclaredJob[],
  handlers: ReadonlySet<string>,
  stored: readonly StoredDefinition[],
  now: number,
  rules: SyncRules,
): DefinitionChange[] {
  const storedByKey = new Map(stored.map((job) => [refKey(job), job]));
  const declaredKeys = new Set(declared.map((job) => refKey(job.definition)));
  const inUse = new Set<string>();
  const changes: DefinitionChange[] = [];

  for (const job of declared) {
    const existing = storedByKey.get(refKey(job.definition)) ?? renamed(job);
    if (existing) inUse.add(existing.uid);
    const change = existing ? changeOf(job, existing, now, rules) : insert(job, now, rules);
    if (change) changes.push(change);
  }
  const replaced = new Set(declared.flatMap(previousKeys));
  for (const job of stored) {
    if (inUse.has(job.uid)) continue;
    if (job.orphanedAt !== null) {
      const longEnough = now - job.orphanedAt >= rules.orphanGraceMs;
      if (rules.orphans === 'delete' && longEnough) changes.push({ kind: 'delete', uid: job.uid });
    } else if (handlers.has(job.handler) || replaced.has(refKey(job))) {
      changes.push({ kind: 'orphan', uid: job.uid });
    }
  }
  return changes;

  function renamed(job: DeclaredJob): StoredDefinition | undefined {
    for (const key of previousKeys(job)) {
      const candidate = storedByKey.get(key);
      if (candidate && !declaredKeys.has(key) && !inUse.has(candidate.uid)) return candidate;
    }
    return undefined;
  }
}

function previousKeys({ definition: { namespace }, previousIds }: DeclaredJob): string[] {
  return previousIds.map((id) => refKey({ namespace, id }));
}

function insert(job: DeclaredJob, now: number, rules: SyncRules): DefinitionChange {
  return { kind: 'insert', job: newJob(job, now, rules, now) };
}

function changeOf(
  job: DeclaredJob,
  stored: StoredDefinition,
  now: number,
  rules: SyncRules,
): DefinitionChange | null {
  if (stored.definitionHash === job.hash) {
    return stored.orphanedAt === null ? null : { kind: 'adopt', uid: stored.uid };
  }
  // A changed interval keeps its anchor.
  const kept = stored.trigger.type === 'interval' ? stored.trigger.anchor : undefined;
  const next = newJob(job, now, rules, kept === undefined ? now : Date.parse(kept));
  const moveCursor =
    next.timeZone !== stored.timeZone || stableJson(next.trigger) !== stableJson(stored.trigger);
  return { kind: 'update', uid: stored.uid, job: next, moveCursor };
}

function newJob(
  { definition, hash }: DeclaredJob,
  now: number,
  { app, calendars }: SyncRules,
  anchor: number,
): NewJob {
  return {
    ...definition,
    ...beginSchedule(definition, now, calendars, anchor),
    source: 'code',
    app,
    definitionHash: hash,
  };
}
