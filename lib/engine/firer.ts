import type { ChronisEvents } from '../events/chronis.events.js';
import { messageOf } from '../events/shown.error.js';
import { rowOperations } from '../events/storage.operations.js';
import { InvalidPayloadError, InvalidScheduleError } from '../model/errors.js';
import { isOf } from '../model/recognized.js';
import { policyOf } from '../model/policies.js';
import type { ClaimedRun } from '../model/run.js';
import type { Clock } from '../ports/clock.js';
import type {
  Capability,
  DueCursor,
  EpochMs,
  FireResult,
  Firing,
  StorageAdapter,
} from '../ports/storage.adapter.js';
import { BoundedCache } from '../triggers/bounded.cache.js';
import { compileTrigger } from '../triggers/compiled.trigger.js';
import type { Calendars } from '../model/trigger.js';
import { tellAnswer } from './answers.js';
import { walkFiring } from './firing.plan.js';
import type { Lead } from './lead.js';
import { OverlongRuns } from './overlong.runs.js';
import { ReadAhead } from './read.ahead.js';
import type { StorageCalls } from './storage.calls.js';
import type { StorageTime } from './storage.time.js';
import { Turns } from './turns.js';

/** So many are kept in memory at most; those beyond are read when these have been fired. */
const cursorsPerRead = 2_000;
/** A cursor that could not be moved early, as a run of its job went on or somebody else was at it, is not tried early for so long. */
const refusalMs = 10_000;
/** What a plan costs, in instants walked over, and how much of that one firing may come to. */
const shareOfPlanning = 5;
/** What each run that is caught up costs until it has ended, where its handler does nothing and the storage is in this process. */
const shareOfRun = 100;
const mostPerFiring = 50_000;
/** Of so many jobs it is known that something was told. */
const mostTold = 10_000;
/** How long one that cannot be fired alone is left alone: at first, and at most, as it may be the storage that fails, for all. What the storage says it can never store is left for longer. */
const leaveMs = { first: 1_000, most: 4_000, mostOfUnstorable: 600_000 };

interface Planned {
  cursor: DueCursor;
  firing: Firing;
}

interface FirerParts {
  storage: StorageAdapter;
  clock: Clock;
  time: StorageTime;
  events: ChronisEvents;
  calendars: Calendars;
  calls: StorageCalls;
}

/** What has become of some cursors. */
export interface Fired {
  /** How many were moved. */
  moved: number;
  /** Born claimed. */
  runs: ClaimedRun[];
  /** How many runs were born for anybody. */
  unclaimed: number;
  /** The earliest of their next times. */
  nextAt: EpochMs;
}

/** Reads cursors, also before they are due, decides what happens to each, has the storage do it, and tells what did not run. */
export class Firer {
  /** The revisions of jobs whose lack of a calendar was told. */
  private readonly told = new BoundedCache<number>(mostTold);
  /** What cursors that were read ahead come to, if they are fired in time. */
  private readonly ahead = new WeakMap<DueCursor, Firing>();
  /** Until which instant the cursors of these jobs are not fired early. */
  private readonly refused = new Map<string, EpochMs>();
  private readonly turns: Turns;
  private readonly overlong: OverlongRuns;
  /** Until when the cursors of these jobs are left alone, and how often firing them has failed in a row. */
  private readonly left = new Map<string, { until: EpochMs; failures: number; isUnstorable: boolean }>();
  /** Whether the last read has found what the storage failed to fire alone, and may fire yet. */
  isWithheld = false;
  /** The first of these times, of those that were passed over by the last read or have been left since; null: none. */
  comesBackAt: EpochMs | null = null;

  constructor(
    private readonly parts: FirerParts,
    private readonly lead: Lead,
  ) {
    this.turns = new Turns(parts.clock);
    this.overlong = new OverlongRuns(parts);
  }

  /** The cursors that are due by now or within the time. */
  async read(capability: Capability, aheadMs: number): Promise<ReadAhead> {
    const { storage, time, clock, calls } = this.parts;
    const sentAt = clock.monotonic();
    const reachMs = aheadMs + time.scheduleAheadMs;
    const { now: storageNow, cursors: found } = await storage.dueCursors(capability, cursorsPerRead, reachMs);
    time.observe(storageNow, sentAt);
    const now = time.scheduleNow();
    calls.locks.keep('schedules', new Set(found.map(instantOf)));
    this.comesBackAt = null;
    this.isWithheld = found.some(({ jobUid }) => this.left.get(jobUid)?.isUnstorable === false);
    const cursors = found.filter(
      (cursor) => !this.isOfTheEnd(cursor, now + aheadMs) && !this.isLeft(cursor, now),
    );
    for (const cursor of cursors) {
      if (cursor.nominalAt > now) await this.planAhead(cursor);
    }
    const isComplete = found.length < cursorsPerRead;
    for (const [jobUid, until] of this.refused) if (until < now) this.refused.delete(jobUid);
    for (const [jobUid, { until }] of this.left)
      if (until < now - leaveMs.mostOfUnstorable) this.left.delete(jobUid);
    const horizon = isComplete ? now + aheadMs : found.at(-1)!.nominalAt - 1;
    const read = cursors.map((cursor) => ({ cursor, mostMs: this.mostMsBefore(cursor) }));
    return new ReadAhead(read, horizon, this.lead);
  }

  /** Those that are not due yet are moved only if no run of their job goes on, where that matters. */
  async fire(capability: Capability, cursors: readonly DueCursor[], room: number): Promise<Fired> {
    const planned = new Map<string, Planned>();
    const { time, calls } = this.parts;
    const storageNow = time.scheduleNow();
    let left = room;
    let latest = storageNow;
    const enough = this.turns.spent + mostPerFiring;
    for (const cursor of cursors) {
      // What is planned must not wait for long: the rest is looked for again.
      if (this.turns.spent > enough) break;
      const now = Math.max(storageNow, cursor.nominalAt);
      latest = Math.max(latest, cursor.nominalAt);
      let firing: Firing | null;
      try {
        firing = this.plannedAhead(cursor, now) ?? (await this.plan(cursor, now, left));
      } catch (error) {
        await this.setAside(cursor, error);
        continue;
      }
      if (firing === null) continue;
      planned.set(cursor.jobUid, {
        cursor,
        firing: cursor.nominalAt > storageNow ? asEarly(firing) : firing,
      });
      left -= firing.births.length;
    }
    if (planned.size === 0) return { moved: 0, runs: [], unclaimed: 0, nextAt: Infinity };
    const aheadMs = latest - storageNow + time.earlyMs;
    const result = await this.move(capability, [...planned.values()], room, aheadMs);
    for (const { jobUid, nominalAt } of result.skipped) {
      const { cursor } = planned.get(jobUid)!;
      this.tellGap(cursor, { from: nominalAt, until: nominalAt, ...overlapped });
      this.overlong.note({ namespace: cursor.namespace, id: cursor.jobId });
    }
    const moved = new Set(result.moved);
    for (const [jobUid, { cursor, firing }] of planned) {
      if (!moved.has(jobUid)) {
        if (cursor.nominalAt > storageNow) this.refused.set(jobUid, cursor.nominalAt + refusalMs);
        // Somebody was faster, or has it locked: which of both the next read tells.
        else if (firing.overlap !== 'wait') calls.locks.note('schedules', instantOf(cursor));
        continue;
      }
      calls.locks.free('schedules', instantOf(cursor));
      for (const gap of firing.gaps) this.tellGap(cursor, gap);
    }
    const nextAt = Math.min(...[...planned.values()].map(({ firing }) => firing.nextAt ?? Infinity));
    return { moved: result.moved.length, runs: result.runs, unclaimed: result.unclaimed, nextAt };
  }

  /** A fixed delay begins at the end of a run, by the storage's clock, and so goes by that alone. */
  private isOfTheEnd({ trigger, nominalAt }: DueCursor, until: EpochMs): boolean {
    const isDelay = trigger.type === 'interval' && trigger.mode === 'fixed-delay';
    return isDelay && nominalAt > until - this.parts.time.earlyMs;
  }

  /** Has the storage fire; where it cannot store something of it, in halves, so that what it is about stands alone. */
  private async move(
    capability: Capability,
    planned: readonly Planned[],
    room: number,
    aheadMs: number,
  ): Promise<Omit<FireResult, 'now'>> {
    const { storage, time, clock } = this.parts;
    try {
      const firings = planned.map(({ firing }) => firing);
      const sentAt = clock.monotonic();
      const result = await storage.fire(capability, firings, room, aheadMs, time.reached);
      time.observe(result.now, sentAt);
      tellAnswer(this.parts, 'fire', sentAt, result.moved.length, result.runs.length);
      for (const { cursor } of planned) this.left.delete(cursor.jobUid);
      return result;
    } catch (error) {
      if (!isOf(error, InvalidPayloadError)) throw error;
      const half = Math.ceil(planned.length / 2);
      if (planned.length === 1) {
        this.leave(planned[0]!.cursor, error);
        return { moved: [], runs: [], unclaimed: 0, skipped: [] };
      }
      const first = await this.move(capability, planned.slice(0, half), room, aheadMs);
      const left = room - first.runs.length;
      const second = await this.move(capability, planned.slice(half), left, aheadMs);
      return {
        moved: [...first.moved, ...second.moved],
        runs: [...first.runs, ...second.runs],
        unclaimed: first.unclaimed + second.unclaimed,
        skipped: [...first.skipped, ...second.skipped],
      };
    }
  }

  private isLeft({ jobUid }: DueCursor, now: EpochMs): boolean {
    const until = this.left.get(jobUid)?.until ?? now;
    if (until <= now) return false;
    this.comesBackAt = Math.min(this.comesBackAt ?? until, until);
    return true;
  }

  /** Leaves a cursor alone for a while, as firing it and nothing else has failed; the others go on. */
  leave({ jobUid, namespace, jobId }: DueCursor, error: unknown): void {
    const failures = (this.left.get(jobUid)?.failures ?? 0) + 1;
    const isUnstorable = isOf(error, InvalidPayloadError);
    const most = isUnstorable ? leaveMs.mostOfUnstorable : leaveMs.most;
    const retryInMs = Math.min(leaveMs.first * 2 ** Math.min(failures - 1, 10), most);
    const until = this.parts.time.scheduleNow() + retryInMs;
    this.left.set(jobUid, { until, failures, isUnstorable });
    this.comesBackAt = Math.min(this.comesBackAt ?? until, until);
    const operation = rowOperations.fire({ namespace, id: jobId });
    this.parts.events.emit('storage.failing', { operation, error, retryInMs });
  }

  /**
   * How long before its time a cursor may be fired: not where the end of a run decides about the next, not where a worker that dies before the instant would take
   * the run with it, and not while the last run of the job may well go on.
   */
  private mostMsBefore(cursor: DueCursor): number | null {
    const { jobUid, nominalAt, policies } = cursor;
    const nextAt = this.ahead.get(cursor)?.nextAt;
    if (nextAt === undefined || nextAt === Infinity) return null;
    if (policyOf(policies, 'recovery') === 'abandon') return null;
    if (nominalAt <= (this.refused.get(jobUid) ?? -Infinity)) return null;
    return nextAt === null ? Infinity : (nextAt - nominalAt) / 2;
  }

  /** Decides before the instant, when there is time, what will hold at it. */
  private async planAhead(cursor: DueCursor): Promise<void> {
    try {
      const firing = await this.plan(cursor, cursor.nominalAt, 1);
      if (firing !== null) this.ahead.set(cursor, firing);
    } catch {
      // It is told when it is due.
    }
  }

  /** Null: there is none, or it is too late for it, as the instant is misfired or the next one due as well. */
  private plannedAhead(cursor: DueCursor, now: number): Firing | null {
    const firing = this.ahead.get(cursor);
    if (firing === undefined || (firing.nextAt !== null && firing.nextAt <= now)) return null;
    return now - cursor.nominalAt <= policyOf(cursor.policies, 'misfireThresholdMs') ? firing : null;
  }

  /** Null: there is no room for what it missed. Throws where the next time cannot be computed. */
  private async plan(cursor: DueCursor, now: number, room: number): Promise<Firing | null> {
    const { trigger, namespace, jobId } = cursor;
    const compiled = compileTrigger(trigger, `${namespace}/${jobId}`, this.parts.calendars);
    const firing = await this.turns.finish(walkFiring(cursor, compiled, now, room));
    const isCaughtUp = firing !== null && firing.nextAt !== null && firing.nextAt <= now;
    await this.turns.spend(shareOfPlanning + (isCaughtUp ? shareOfRun * firing.births.length : 0));
    if (firing === null || firing.nextAt === null || firing.nextAt > cursor.nominalAt) return firing;
    throw new RangeError('The computed next time is not later than the one before it.');
  }

  /** A job without a next time is paused with the reason, as it must neither stop the others nor be due for ever. */
  private async setAside(cursor: DueCursor, error: unknown): Promise<void> {
    const { namespace, jobId } = cursor;
    if (this.isOurLack(error)) return this.leaveToOthers(cursor, error);
    this.parts.events.emit('schedule.failed', { namespace, id: jobId, error });
    const reason = `The next time cannot be computed: ${messageOf(error)}`.slice(0, 500);
    await this.parts.storage.pauseJob({ namespace, id: jobId }, { reason, by: 'chronis' });
  }

  /** A calendar that this process does not have may be known to those of a newer release. */
  private isOurLack(error: unknown): boolean {
    return error instanceof InvalidScheduleError && error.field === 'exclude';
  }

  private leaveToOthers({ namespace, jobId, jobUid, revision }: DueCursor, error: unknown): void {
    if (this.told.get(jobUid) === revision) return;
    this.told.set(jobUid, revision);
    this.parts.events.emit('schedule.failed', { namespace, id: jobId, error });
  }

  private tellGap({ namespace, jobId, handler }: DueCursor, gap: Firing['gaps'][number]): void {
    const range = { from: new Date(gap.from), until: new Date(gap.until) };
    this.parts.events.emit('gap.recorded', { namespace, id: jobId, handler, ...gap, ...range });
  }
}

/** What overlap means is decided at the instant, unless there is nothing to decide. */
function asEarly(firing: Firing): Firing {
  return firing.overlap === 'allow' ? firing : { ...firing, overlap: 'wait' };
}

function instantOf({ namespace, jobId, nominalAt }: DueCursor): string {
  return `${namespace}/${jobId} at ${new Date(nominalAt).toISOString()}`;
}

const overlapped = { verdict: 'skipped', count: 1, reason: 'overlap' } as const;
