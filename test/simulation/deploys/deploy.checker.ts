import type { Attempt, Gap, Trigger } from '../../../lib/index.js';
import { compileTrigger, type CompiledTrigger } from '../../../lib/triggers/compiled.trigger.js';
import { grouped } from '../records.js';
import type { DeployHistory, StoredJob } from './deploy.history.js';
import { DeployModel, type Expectation } from './deploy.model.js';
import { graceMs } from './pod.js';
import { takenId } from './random.release.js';
import { lineOf, type Scheduled } from './release.js';

/** So soon after a deploy, a rollback or the end of a canary the schedule of the expected release is in force. */
const followWithinMs = 10_000;
/** So long a call may be under way where the network is slow. */
const mostUnderWayMs = 4_500;

/** A time in which nothing comes, goes or fails that has to do with what is in force. */
interface Quiet {
  from: number;
  until: number;
  expected: Expectation;
}

/** Where a history of deploys breaks a promise; empty: nowhere. */
export function checkDeploys(
  history: DeployHistory,
  attempts: readonly Attempt[],
  gaps: readonly Gap[],
): string[] {
  const found = [...history.wrongBoots];
  for (const { name, from, declared } of history.attendance.periods) {
    if (declared.some(({ id }) => id === takenId))
      found.push(`${name} works since ${new Date(from).toISOString()}, and should have been refused`);
  }
  for (const { app, jobApp, method, runId } of history.work) {
    if (jobApp !== null && jobApp !== app)
      found.push(`run ${runId} of ${jobApp} was executed by ${app} as ${method}`);
  }
  for (const app of new Set(history.attendance.periods.map((period) => period.app))) {
    found.push(...new AppCheck(app, history, attempts, gaps).violations());
  }
  return found;
}

class AppCheck {
  private readonly attempts: readonly Attempt[];
  /** Lines with the instants that they have run for. */
  private readonly ran: ReadonlySet<string>;
  private readonly gaps: ReadonlyMap<string, readonly Gap[]>;
  /** The ids that a stored job has had. */
  private readonly idsOf = new Map<string, Set<string>>();

  constructor(
    private readonly app: string,
    private readonly history: DeployHistory,
    attempts: readonly Attempt[],
    gaps: readonly Gap[],
  ) {
    this.attempts = attempts.filter((row) => row.origin === 'schedule' && row.jobId.startsWith(app));
    this.ran = new Set(
      this.attempts.map(({ jobId, nominalAt }) => `${lineOf(jobId)} ${nominalAt.getTime()}`),
    );
    this.gaps = grouped(gaps, ({ jobId }) => jobId);
    for (const { jobs } of history.stored) {
      for (const { uid, definition } of jobs)
        this.idsOf.set(uid, (this.idsOf.get(uid) ?? new Set()).add(definition.id));
    }
  }

  violations(): string[] {
    const quiet = this.quietTimes();
    return [
      ...this.doubles(),
      ...this.unanswered(),
      ...quiet.flatMap((time) => [...this.otherThanExpected(time), ...this.otherInstants(time)]),
    ];
  }

  /** No method is run twice for one instant, under whatever ids. */
  private doubles(): string[] {
    const runs = new Map<string, Set<string>>();
    const note = (method: string, at: number, runId: string): void => {
      const key = `${method} of ${new Date(at).toISOString()}`;
      runs.set(key, (runs.get(key) ?? new Set()).add(runId));
    };
    for (const { handler, nominalAt, runId } of this.attempts) note(handler, nominalAt.getTime(), runId);
    for (const { jobApp, method, nominalAt, runId } of this.history.work) {
      if (jobApp === this.app) note(method, nominalAt, runId);
    }
    return [...runs]
      .filter(([, ids]) => ids.size > 1)
      .map(([key, ids]) => `${this.app}: ${key} is ${ids.size} runs: ${[...ids].join(', ')}`);
  }

  /** Every instant of a schedule that was stored, while it was, is run or part of a gap. */
  private unanswered(): string[] {
    const found: string[] = [];
    const { stored } = this.history;
    for (const [nth, { at: from, jobs }] of stored.entries()) {
      const until = Math.min(stored[nth + 1]?.at ?? Infinity, this.history.settledAt);
      for (const { uid, app, definition, orphanedAt } of jobs) {
        if (app !== this.app || orphanedAt !== null) continue;
        for (const at of instants(definition.trigger, from, until)) {
          if (this.isAnswered(uid, lineOf(definition.id), at)) continue;
          found.push(
            `${this.app}: ${definition.id} has neither run nor gap for ${new Date(at).toISOString()}`,
          );
        }
      }
    }
    return found;
  }

  /** What is stored is what the release says that should be in force. */
  private otherThanExpected({ from, until, expected }: Quiet): string[] {
    const found: string[] = [];
    const { stored } = this.history;
    for (const [nth, { at, jobs }] of stored.entries()) {
      const isThen = at < until && (stored[nth + 1]?.at ?? Infinity) > from + followWithinMs;
      if (!isThen) continue;
      const when = new Date(Math.max(at, from + followWithinMs)).toISOString();
      const own = jobs.filter((job) => job.app === this.app);
      for (const [id, scheduled] of expected!) {
        const job = own.find(({ definition }) => definition.id === id);
        const difference = job ? differenceOf(job, scheduled) : 'is not stored';
        if (difference !== null) found.push(`${this.app}: at ${when} ${id} ${difference}`);
      }
      const methods = new Set([...expected!.values()].map(({ method }) => method));
      for (const { definition, orphanedAt } of own) {
        if (expected!.has(definition.id) || orphanedAt !== null || !methods.has(definition.handler)) continue;
        found.push(`${this.app}: at ${when} ${definition.id} fires, though its method has another id`);
      }
    }
    return found;
  }

  /** What should be in force has run, or tells why not, at each of its instants, and at no others. */
  private otherInstants({ from, until, expected }: Quiet): string[] {
    const found: string[] = [];
    for (const [id, { line, method, schedule }] of expected!) {
      if (!('cron' in schedule)) continue;
      const trigger = { type: 'cron' as const, expression: schedule.cron, timeZone: 'UTC' };
      const own = new Set(instants(trigger, from + followWithinMs, until).filter((at) => at < until));
      for (const at of own) {
        if (this.isAnswered(this.uidAt(id, at), line, at)) continue;
        found.push(`${this.app}: ${id} should have run at ${new Date(at).toISOString()}, and tells nothing`);
      }
      for (const { handler, jobId, nominalAt } of this.attempts) {
        const at = nominalAt.getTime();
        const isThen = at > from + followWithinMs && at < until;
        if (handler !== method || !isThen || own.has(at)) continue;
        found.push(
          `${this.app}: ${jobId} ran ${method} for ${nominalAt.toISOString()}, which is no instant of it`,
        );
      }
    }
    return found;
  }

  /** Of the job that was stored under this id. */
  private uidAt(id: string, time: number): string {
    const { jobs } = this.history.stored.findLast(({ at }) => at <= time)!;
    return jobs.find(({ definition }) => definition.id === id)?.uid ?? 'none';
  }

  /** By a run, under whatever id, or by a gap of the stored job. */
  private isAnswered(uid: string, line: string, at: number): boolean {
    if (this.ran.has(`${line} ${at}`)) return true;
    const own = [...(this.idsOf.get(uid) ?? [])].flatMap((id) => this.gaps.get(id) ?? []);
    return own.some(({ from, until }) => from.getTime() <= at && at <= (until?.getTime() ?? Infinity));
  }

  /** Those of them that are longer than it may take to follow. */
  private quietTimes(): Quiet[] {
    const { attendance, disturbances } = this.history;
    const model = new DeployModel(
      attendance.periods.filter(({ app }) => app === this.app),
      graceMs,
      disturbances.length > 0 ? mostUnderWayMs : 50,
    );
    const end = this.history.settledAt;
    const times: Quiet[] = [];
    let last: Quiet | null = null;
    for (const from of model.turns.filter((turn) => turn < end)) {
      const expected = model.at(from);
      if (last !== null && textOf(expected) === textOf(last.expected)) continue;
      if (last !== null) last.until = from;
      last = { from, until: end, expected };
      times.push(last);
    }
    return times
      .filter(({ expected }) => expected !== null)
      .flatMap((time) => undisturbed(time, disturbances))
      .filter(({ from, until }) => until - from > followWithinMs);
  }
}

function undisturbed(time: Quiet, disturbances: DeployHistory['disturbances']): Quiet[] {
  const within = disturbances.filter(({ from, until }) => until >= time.from && from <= time.until);
  const left: Quiet[] = [];
  let { from } = time;
  for (const disturbance of within.toSorted((a, b) => a.from - b.from)) {
    if (disturbance.from > from) left.push({ ...time, from, until: disturbance.from });
    from = Math.max(from, disturbance.until);
  }
  if (from < time.until) left.push({ ...time, from });
  return left;
}

function differenceOf(
  { definition, orphanedAt, orphanedReason }: StoredJob,
  wanted: Scheduled,
): string | null {
  const { trigger, payload, handler } = definition;
  if (orphanedAt !== null) return `is ${orphanedReason}`;
  if (handler !== wanted.method) return `runs ${handler} instead of ${wanted.method}`;
  if (payload !== wanted.options.payload) return 'has other options';
  const { schedule } = wanted;
  const isSame =
    'cron' in schedule
      ? trigger.type === 'cron' && trigger.expression === schedule.cron
      : trigger.type === 'interval' && JSON.stringify(trigger.every) === JSON.stringify(schedule.everyMs);
  return isSame ? null : `has the schedule ${JSON.stringify(trigger)} instead of ${JSON.stringify(schedule)}`;
}

/** After `from`, up to and including `until`. */
function instants(trigger: Trigger, from: number, until: number): number[] {
  const found: number[] = [];
  const schedule = compiled(trigger);
  // A trigger counts in whole milliseconds.
  for (let at = schedule.next(Math.floor(from)); at !== null && at <= until; at = schedule.next(at))
    found.push(at);
  return found;
}

const known = new Map<string, CompiledTrigger>();

function compiled(trigger: Trigger): CompiledTrigger {
  const key = JSON.stringify(trigger);
  const there = known.get(key) ?? compileTrigger(trigger, 'default/declared');
  known.set(key, there);
  return there;
}

function textOf(expected: Expectation): string {
  return JSON.stringify(expected && [...expected].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
