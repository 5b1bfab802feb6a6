import type { JobDefinition, JobRef } from './job.js';
import { stableJson } from './json.js';
import type { Policies } from './policies.js';

type OptionValues = Omit<JobDefinition, keyof JobRef | 'policies'> & Policies;

/** What of a declared job can be changed at run time: the fields of `Job` that users decide, and its policies by their own names. @publicApi */
export type ChangeableOption = keyof OptionValues;

/** One option of a declared job that was changed at run time. @publicApi */
export interface JobChange<Value = unknown> {
  /** What the code says at present. Not there: nothing, so that the default would hold. */
  declared?: Value;
  at: Date;
  /** As the change named somebody; null: it did not. */
  by: string | null;
}

/** What was changed at run time of a declared job, by option. The values themselves are those of the job. @publicApi */
export type JobChanges = { [Option in ChangeableOption]?: JobChange<OptionValues[Option]> };

/** As it is stored. */
export interface StoredChange extends Omit<JobChange, 'at'> {
  /** Milliseconds since the epoch. */
  at: number;
}

/** By option. */
export type StoredChanges = { [Option in ChangeableOption]?: StoredChange };

/** A declared job that is changed at run time. */
export interface ChangedDefinition {
  /** As it is: the declaration, with the changes over it. */
  definition: JobDefinition;
  changes: StoredChanges;
}

/** Who changes a job, and when. */
export type ChangeBy = Pick<StoredChange, 'at' | 'by'>;

type Values = Partial<Record<ChangeableOption, unknown>>;

const schedule: readonly ChangeableOption[] = ['trigger', 'timeZone'];

/**
 * What is changed of a declared job once it is defined as `after`. Only the options that are named count as given (not given: all); one that has what the code says is no change any more,
 * one that has what it had already stays somebody's change of then. null: nothing is changed.
 */
export function changedBy(
  before: { definition: JobDefinition; changes: StoredChanges | null },
  after: JobDefinition,
  { at, by }: ChangeBy,
  named?: readonly ChangeableOption[],
): StoredChanges | null {
  const was = valuesOf(before.definition);
  const is = valuesOf(after);
  const changes: StoredChanges = { ...before.changes };
  for (const option of named ?? optionsOf(was, is, changes)) {
    const known = changes[option];
    const declared = known === undefined ? was[option] : known.declared;
    if (isSame(is[option], declared)) delete changes[option];
    else if (known === undefined || !isSame(is[option], was[option])) {
      changes[option] = { ...saying(declared), at, by };
    }
  }
  return orNull(changes);
}

/** A job whose declaration became another one: what was changed at run time stays over it, a schedule as a whole. */
export function redeclared(
  changed: ChangedDefinition | null,
  declared: JobDefinition,
): { definition: JobDefinition; changes: StoredChanges | null } {
  if (changed === null) return { definition: declared, changes: null };
  const says = valuesOf(declared);
  const is = valuesOf(changed.definition);
  const values = { ...says };
  const changes: StoredChanges = {};
  for (const option of keysOf(changed.changes)) {
    const { at, by } = changed.changes[option]!;
    changes[option] = { ...saying(says[option]), at, by };
    values[option] = is[option];
  }
  const rescheduled = schedule.map((option) => changes[option]).find((change) => change !== undefined);
  if (rescheduled === undefined) return { definition: definitionOf(declared, values), changes };
  const { at, by } = rescheduled;
  for (const option of schedule) {
    values[option] = is[option];
    if (!isSame(is[option], says[option])) changes[option] ??= { ...saying(says[option]), at, by };
  }
  return { definition: definitionOf(declared, values), changes };
}

/** What the code says of a job: all that was changed at run time, undone. */
export function declaredOf({ definition, changes }: ChangedDefinition): JobDefinition {
  const values = valuesOf(definition);
  for (const option of keysOf(changes)) values[option] = changes[option]!.declared;
  return definitionOf(definition, values);
}

/** As users see it. */
export function toJobChanges(changes: StoredChanges | null): JobChanges | null {
  const views = changes && mapped(changes, (change) => ({ ...change, at: new Date(change.at) }));
  return structuredClone(views) as JobChanges | null;
}

/** As it is stored. */
export function toStoredChanges(changes: JobChanges | null): StoredChanges | null {
  const given = changes as Partial<Record<ChangeableOption, JobChange>> | null;
  return given && mapped(given, (change) => ({ ...change, at: change.at.getTime() }));
}

function mapped<From, To>(
  changes: { [Option in ChangeableOption]?: From },
  to: (change: From) => To,
): { [Option in ChangeableOption]?: To } {
  return Object.fromEntries(Object.entries(changes).map(([option, change]) => [option, to(change)]));
}

function valuesOf(definition: JobDefinition): Values {
  const { name, handler, queue, priority, trigger, timeZone, payload, metadata, policies } = definition;
  return { name, handler, queue, priority, trigger, timeZone, payload, metadata, ...policies };
}

function definitionOf({ namespace, id }: JobRef, values: Values): JobDefinition {
  const { name, handler, queue, priority, trigger, timeZone, payload, metadata, ...policies } = values;
  const given = Object.entries(policies).filter(([, value]) => value !== undefined);
  const own = { name, handler, queue, priority, trigger, timeZone, payload, metadata };
  return { namespace, id, ...own, policies: Object.fromEntries(given) } as JobDefinition;
}

/** JSON has no undefined. */
function saying(declared: unknown): Pick<StoredChange, 'declared'> {
  return declared === undefined ? {} : { declared };
}

function isSame(one: unknown, other: unknown): boolean {
  return stableJson(one) === stableJson(other);
}

function optionsOf(...values: object[]): ChangeableOption[] {
  return [...new Set(values.flatMap(keysOf))];
}

function keysOf(values: object): ChangeableOption[] {
  return Object.keys(values) as ChangeableOption[];
}

function orNull(changes: StoredChanges): StoredChanges | null {
  return keysOf(changes).length === 0 ? null : changes;
}
