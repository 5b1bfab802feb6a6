import { InvalidOptionError } from '../model/errors.js';
import type { Job, JobRef } from '../model/job.js';
import type { Attempt, Gap, Run, RunOrigin } from '../model/run.js';
import { compileTrigger, type CompiledTrigger } from '../triggers/compiled.trigger.js';
import { parseAt } from '../triggers/instant.js';
import type { Coverage, CoverageOptions, CoveredInstant } from './coverage.js';
import type { Recorded } from './explaining.circumstances.js';
import { explain, readPresent, type ExplainingParts } from './explaining.js';
import { readRecord } from './explaining.reading.js';
import { wholeNumber } from './option.checks.js';
import { refKey } from './job.identity.js';
import { missingJob } from './missing.job.js';

const dayMs = 86_400_000;
const mostDays = 366;
const mostInstants = 10_000;
const usualInstants = 1_000;

/** Of what the schedule, or the time of a one-off, has brought about: what was asked for by hand has no due instant. */
const due: ReadonlySet<RunOrigin> = new Set<RunOrigin>(['schedule', 'at', 'backfill', 'retry']);

/** The job has no such instant. */
const noInstants: ReadonlySet<CoveredInstant['cause']> = new Set<CoveredInstant['cause']>([
  'ended',
  'not-in-schedule',
]);

interface Stretch {
  from: number;
  until: number;
}

/** Every due instant of the stretch with what became of it, or will. Reads only. Throws JobNotFoundError, InvalidOptionError, InvalidScheduleError. */
export async function coverJob(
  ref: JobRef,
  options: CoverageOptions,
  parts: ExplainingParts,
): Promise<Coverage> {
  const { jobs, calendars } = parts;
  const limit = wholeNumber(options.limit ?? usualInstants, 'limit', 1, mostInstants);
  const job = await jobs.getJob(ref);
  const timeZone = job?.timeZone ?? parts.timeZone;
  const stretch = stretchOf(options, parts.now, timeZone);
  const recorded = await readRecord(ref, { from: stretch.from, to: stretch.until - 1 }, jobs);
  if (job === null && recorded.isEmpty) throw await missingJob(ref, jobs);
  const present = await readPresent(recorded, parts);
  const known = instantsOnRecord(recorded, stretch);
  const compiled = job === null ? null : compileTrigger(job.trigger, refKey(ref), calendars);
  const others = recorded.gaps.filter((gap): gap is OverGap => isOfAnother(gap, compiled));
  const scheduled = job === null || compiled === null ? [] : instantsOf(job, compiled, stretch, limit + 1);
  const named = scheduled.filter((at) => !others.some((gap) => contains(gap, at)));
  const all = [...new Set([...known, ...named])].toSorted((a, b) => a - b);
  const reach = Math.min(...known);
  const rows = new RowsByInstant(recorded);
  const instants: CoveredInstant[] = [];
  for (const at of all) {
    const circumstances = { ...present, ref, at, job, timeZone, recorded: rows.at(at) };
    const found = explain(circumstances);
    if (!known.has(at) && isNone(found.cause, at, reach)) continue;
    instants.push({ at: new Date(at), ...found });
    if (instants.length > limit) break;
  }
  const isCut = instants.length > limit;
  return {
    ...{ jobId: ref.id, namespace: ref.namespace },
    ...{ from: new Date(stretch.from), until: new Date(stretch.until) },
    instants: instants.slice(0, limit),
    // The first and the last of each are named.
    unnamed: others.reduce((sum, { count }) => sum + count - 2, 0),
    isCut,
    isWhole: recorded.isWhole,
  };
}

/** An instant of the schedule as it is now, of which nothing is on record, where that reaches further back: every due instant leaves a row, so the schedule was another one. */
function isNone(cause: CoveredInstant['cause'], at: number, reach: number): boolean {
  return noInstants.has(cause) || (cause === 'schedule-changed' && at > reach);
}

function stretchOf({ from, until }: CoverageOptions, now: number, timeZone: string): Stretch {
  const given = from === undefined ? null : parseAt(from, timeZone, 'from').getTime();
  const end = until === undefined ? now : parseAt(until, timeZone, 'until').getTime();
  const begin = given ?? end - dayMs;
  if (end <= begin) throw new InvalidOptionError('until', 'must be after "from".');
  if (end - begin > mostDays * dayMs)
    throw new InvalidOptionError('until', `must be at most ${mostDays} days after "from".`);
  return { from: begin, until: end };
}

/** Those that a row tells of, whatever the schedule is now: a range of them tells of its first and its last. */
function instantsOnRecord({ attempts, runs, gaps }: Recorded, { from, until }: Stretch): Set<number> {
  const known = new Set<number>();
  for (const { nominalAt, origin } of [...attempts, ...runs])
    if (due.has(origin)) known.add(nominalAt.getTime());
  for (const gap of gaps) {
    if (!isOver(gap)) continue;
    const { from: first, until: last } = gap;
    for (const at of [first.getTime(), last.getTime()]) if (from <= at && at < until) known.add(at);
  }
  return known;
}

/** A stretch that did not run, from its first instant to its last. */
type OverGap = Gap & { until: Date };

function isOver(gap: Gap): gap is OverGap {
  return gap.verdict !== 'excluded' && gap.count > 0 && gap.until !== null;
}

/** Whether it is of another schedule than that of now: the record has the number of its instants, and the times of two of them. */
function isOfAnother(gap: Gap, compiled: CompiledTrigger | null): gap is OverGap {
  if (!isOver(gap) || gap.count === 1) return false;
  const [first, last] = [gap.from.getTime(), gap.until.getTime()];
  if (compiled === null || compiled.next(first - 1) !== first) return true;
  return compiled.countBetween(first - 1, last, gap.count + 1).count !== gap.count;
}

function contains({ from, until }: OverGap, at: number): boolean {
  return from.getTime() <= at && at <= until.getTime();
}

/** The first instants that the schedule has, as it is now, since there is the job. */
function instantsOf(job: Job, compiled: CompiledTrigger, { from, until }: Stretch, most: number): number[] {
  const next = job.nextRunAt?.getTime() ?? null;
  if (compiled.fixedDelayMs !== null) return next !== null && from <= next && next < until ? [next] : [];
  const found: number[] = [];
  const begin = Math.max(from, Math.min(job.createdAt.getTime(), next ?? Infinity));
  for (let at = compiled.next(begin - 1); at !== null && at < until && found.length < most;) {
    found.push(at);
    at = compiled.next(at);
  }
  return found;
}

/** The rows of a stretch by the instants that they are about; to be asked for one instant after the other, in their order. */
class RowsByInstant {
  private readonly attempts: Map<number, Attempt[]>;
  private readonly runs: Map<number, Run[]>;
  private readonly coming: Gap[];
  private open: Gap[] = [];

  constructor(private readonly recorded: Recorded) {
    this.attempts = byInstant(recorded.attempts);
    this.runs = byInstant(recorded.runs);
    this.coming = recorded.gaps.toSorted((a, b) => b.from.getTime() - a.from.getTime());
  }

  at(at: number): Recorded {
    while (this.coming.length > 0 && this.coming.at(-1)!.from.getTime() <= at)
      this.open.push(this.coming.pop()!);
    this.open = this.open.filter(({ until }) => until === null || at <= until.getTime());
    const { isEmpty, isWhole } = this.recorded;
    return {
      attempts: this.attempts.get(at) ?? [],
      runs: this.runs.get(at) ?? [],
      gaps: [...this.open],
      isEmpty,
      isWhole,
    };
  }
}

function byInstant<T extends { nominalAt: Date }>(rows: readonly T[]): Map<number, T[]> {
  const groups = new Map<number, T[]>();
  for (const row of rows) {
    const at = row.nominalAt.getTime();
    const group = groups.get(at);
    if (group === undefined) groups.set(at, [row]);
    else group.push(row);
  }
  return groups;
}
