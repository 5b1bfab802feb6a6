import type { ChronisEvents } from '../events/chronis.events.js';
import type { Redactor } from '../events/redactor.js';
import type { RunEvent } from '../events/event.map.js';
import type { AbortCause } from '../model/errors.js';
import type { JobRef } from '../model/job.js';
import type { ClaimedRun } from '../model/run.js';
import type { Clock } from '../ports/clock.js';
import type { Capability, Settlement, StorageAdapter, Unstarted } from '../ports/storage.adapter.js';
import { AttemptResult } from './attempt.result.js';
import { EarlyRuns } from './early.runs.js';
import type { Handler, HandlerRegistry } from './handler.registry.js';
import { HeldClaims } from './held.claims.js';
import { Isolation, isSuspect, type Sorted } from './isolation.js';
import type { HandlerLogger } from './run.context.js';
import type { RunLogs } from './run.logs.js';
import type { RunProgresses } from './run.progresses.js';
import type { LongRunning } from './lease.keeper.js';
import type { Ending } from './attempt.ending.js';
import type { AttemptParts } from './attempt.parts.js';
import { RunningRun } from './running.run.js';
import { RunningRuns } from './running.runs.js';
import { RunTeller } from './run.teller.js';
import { judge, unjudged, type Judgement } from './settlement.js';
import type { Settler } from './settler.js';
import type { StorageTime } from './storage.time.js';
import type { StorageCalls } from './storage.calls.js';
import type { AddedSteps } from './step.end.js';
import type { Stragglers } from './stragglers.js';
import { carriedOn, type Tracing } from './tracing.js';
import { isFirstStart, isOnce, unstarted } from './unstarted.js';
import type { SettleVerdict } from './waiting.result.js';

const longRunningMs = 5_000;
/** So many results may wait to be written before nothing more is begun; more where much is done at a time. Far more than wait while all is well. */
const leastUnsettled = 1_000;
const unsettledPerPlace = 4;

/** What a session needs of its engine. */
export interface SessionParts {
  storage: StorageAdapter;
  handlers: HandlerRegistry;
  clock: Clock;
  time: StorageTime;
  events: ChronisEvents;
  settler: Settler;
  stragglers: Stragglers;
  calls: StorageCalls;
  logger: (handler: string) => HandlerLogger;
  redactor: Redactor;
  tracing: Tracing;
  /** Null: the storage keeps no logs. */
  logs: RunLogs | null;
  progresses: RunProgresses;
  random: () => number;
  addedSteps: AddedSteps;
  concurrency: number;
  abortGraceMs: number;
  app: string;
  queues: readonly string[];
  /** Whether the lease is trusted, so that work may begin. */
  trusted: () => boolean;
  /** How many handlers go on in this process of leases that were lost. */
  goingOnElsewhere: () => number;
  /** Called when a handler has ended, so that there is room again. */
  onRoom: () => void;
  /** Called when runs of more handlers may be claimed. */
  onOffered: () => void;
  /** Called when the end of an attempt is on record. */
  onSettled: (run: ClaimedRun, settlement: Settlement) => void;
  /** Gives back what was claimed, but is not begun. */
  giveBack: (runs: readonly Unstarted[]) => void;
  /** Called with the job of a run that has given up, if that may pause the job. */
  onGaveUp: (jobs: readonly JobRef[]) => void;
}

/** What keeps all else from beginning, as it is executed alone. */
export interface IsolatedRun {
  event: RunEvent;
  lostCount: number;
  /** At the latest, monotonic. */
  until: number;
}

const none: readonly string[] = [];

/**
 * What one worker holds, from its registration to the end of its lease: the runs that it executes and those whose
 * results are being written. A lease that was lost ends the session for good; the process goes on with a new one.
 */
export class WorkerSession {
  /** False once it must not begin anything any more. */
  active = true;
  /** It is told to stop, and its handlers still have time: calls that are under way may hand out what must not be given back. */
  isDraining = false;
  /** How often it was told that something has changed. */
  changes = 0;
  private readonly running = new RunningRuns();
  private readonly held = new HeldClaims();
  private readonly awaitingEmpty: (() => void)[] = [];
  /** Those that the storage was told of as running for long. */
  private readonly known = new WeakSet<RunningRun>();
  private readonly attempts: AttemptParts;
  private readonly results = {
    settled: (result: AttemptResult, verdict: SettleVerdict): void =>
      this.onceLogged(result.running, () => this.settled(result, verdict)),
    unstorable: (run: ClaimedRun, error: unknown): void =>
      this.parts.events.emit('run.unstorable', { ...this.teller.eventOf(run), error }),
  };
  private readonly early: EarlyRuns;
  private readonly isolation: Isolation;
  private readonly teller: RunTeller;
  /** Results that wait have cost it room. */
  private isShort = false;
  private isWithholding = false;

  constructor(
    readonly workerId: string,
    private readonly parts: SessionParts,
  ) {
    const { storage, clock, time, abortGraceMs, logger, redactor, tracing, logs, progresses, random } = parts;
    this.early = new EarlyRuns(
      clock,
      time,
      (runs) => this.beginEarly(runs),
      () => this.askTime(),
      (runs) => this.giveBackEarly(runs),
    );
    this.teller = new RunTeller(workerId, parts.events, parts);
    this.isolation = new Isolation(clock, parts.concurrency, this);
    this.attempts = {
      storage,
      clock,
      abortGraceMs,
      logger,
      redactor,
      tracing,
      logs,
      progresses,
      now: () => time.scheduleNow(),
      insist: async (operation, call, isNeeded) =>
        (await parts.calls.repeat(operation, call, isNeeded))?.value ?? null,
      addedSteps: parts.addedSteps,
      conclude: (running, ending) => {
        const { settlement, error } = judge(running.run, ending, null, this.timesOf(running), random)!;
        // A step whose result cannot be kept: nothing is committed.
        if (error !== null) throw error;
        return carriedOn(settlement, running.trace);
      },
      onEnded: (running, ending) => tracing.apart(() => this.finish(running, ending)),
      onListenerFailed: (error) => parts.events.emit('listener.failed', { eventName: 'abort', error }),
    };
  }

  get capability(): Capability {
    const { app, queues, handlers } = this.parts;
    const { withheld } = this;
    if (withheld.length > 0) this.isWithholding = true;
    const offered = handlers.offered();
    return {
      workerId: this.workerId,
      app,
      queues,
      handlers: withheld.length === 0 ? offered : offered.filter((name) => !withheld.includes(name)),
    };
  }

  /** Handlers so many results of which the storage refuses that they get no more runs here for now. */
  private get withheld(): readonly string[] {
    const { concurrency, settler } = this.parts;
    return settler.refused.size < concurrency ? none : settler.refused.handlersWith(concurrency);
  }

  /** How many more runs it may begin. While results cannot be written, each takes the place of a run: what is executed and not recorded is executed again, should this process die. Those that are refused for themselves only cost their handler its runs here. */
  get room(): number {
    const { concurrency, settler } = this.parts;
    const unsettled = this.held.size - this.inHands - settler.refused.size;
    const isFull = unsettled >= Math.max(leastUnsettled, unsettledPerPlace * concurrency) || settler.isFull;
    const taken = isFull ? concurrency : settler.failing ? unsettled : 0;
    if (taken > 0) this.isShort = true;
    return this.isolation.closed ? 0 : Math.max(concurrency - this.inHands - taken, 0);
  }

  /** A run waits to be alone here, or is. */
  get isIsolating(): boolean {
    return this.isolation.isWaiting;
  }

  /** What it makes room for, so that it can be alone: when to look for it, and how long before it is due. */
  get isolationLook(): { inMs: number; aheadMs: number } {
    return { inMs: this.isolation.opensInMs, aheadMs: this.isolation.soonerMs };
  }

  /** What it executes alone, and until when nothing begins beside that (monotonic); null: nothing. */
  get isolated(): IsolatedRun | null {
    const { holding } = this.isolation;
    const running = holding === null ? undefined : this.running.get(holding.runId);
    if (holding === null || running === undefined) return null;
    const { run } = running;
    return { event: this.teller.eventOf(run), lostCount: run.lostCount, until: holding.until };
  }

  get inHands(): number {
    return this.running.size + this.early.size;
  }

  /** All that would be lost with this process, also what waits for its verdict to be written, and what may end it beside. */
  get claims(): number {
    return this.held.size + this.parts.goingOnElsewhere();
  }

  /** Those whose worker has died before. */
  get suspects(): { count: number; longestMs: number } {
    const suspects = this.running.all().filter(({ run }) => isSuspect(run));
    const longestMs = suspects.length === 0 ? 0 : this.parts.time.scheduleNow() - suspects[0]!.startedAt;
    return { count: suspects.length, longestMs };
  }

  /** What of a claim, or of what was born in its hands, it may begin now, beside what goes on and what killed its worker before. */
  sort(runs: readonly ClaimedRun[], from: 'claim' | 'fire', asked: number): Sorted {
    return this.isolation.sort(runs, from, asked);
  }

  /** How many attempts have ended, and how many runs were handed back. */
  get done(): { finished: number; handedBack: number } {
    const { finished, handedBack } = this.teller;
    return { finished, handedBack };
  }

  get runningCount(): number {
    return this.running.size;
  }

  /** One for each of them. */
  get runningQueues(): string[] {
    return this.running.all().map(({ run }) => run.queue);
  }

  /** What it executes, as it is told. */
  get runningRuns(): RunEvent[] {
    return this.running.all().map(({ run }) => this.teller.eventOf(run));
  }

  /** Those that it has told to stop, and waits for. */
  get abortedSteps(): string[] {
    return this.running.all().flatMap(({ run, isAborted }) => (isAborted ? (run.flowStep?.place ?? []) : []));
  }

  /** Those of the claims that it does not know. */
  unknownOf(claims: readonly Unstarted[]): Unstarted[] {
    return this.held.unknownOf(claims);
  }

  /**
   * Begins what is due, and the rest at its time; returns what must be given back, since the session is over, the handler is withdrawn, or the answer came so late
   * (the process was frozen) that the lease may have ended. What is not due yet goes back too, if something has changed since `asOf`.
   */
  begin(runs: readonly ClaimedRun[], asOf = this.changes): Unstarted[] {
    const refused: Unstarted[] = [];
    const early: ClaimedRun[] = [];
    const { time } = this.parts;
    const certain = time.certain;
    let askedAt = NaN;
    let trusted = false;
    for (const run of runs) {
      const now = time.scheduleNow();
      // Not for each run, but again once time has passed: what began before it may have blocked the process.
      if (now !== askedAt) trusted = this.parts.trusted();
      askedAt = now;
      const earlier = this.running.get(run.id);
      if (earlier !== undefined) {
        this.keepFor(run, earlier);
        continue;
      }
      if (this.early.size > 0) this.forgetEarly(run.id);
      const isOpen = this.active || (this.isDraining && isOnce(run));
      const handler = isOpen && trusted ? this.parts.handlers.offeredFor(run.handler) : undefined;
      if (!handler) refused.push(unstarted(run));
      // What must not run twice is claimed only when it is due. It ends as lost when it is given back, so it is not waited with.
      else if (Math.ceil(run.dueAt) <= certain || time.hasReached(run.dueAt) || isOnce(run)) {
        if (!this.executes(run, handler, now)) refused.push(unstarted(run));
      } else if (asOf === this.changes && !this.early.isFarOff(run)) early.push(run);
      else refused.push(unstarted(run));
    }
    for (const { runId } of refused) this.isolation.ended(runId);
    for (const run of early) this.held.add(run);
    this.early.add(early);
    return refused;
  }

  /** They do not begin, after all. */
  refuse(runs: readonly ClaimedRun[]): void {
    for (const { id } of runs) this.isolation.ended(id);
  }

  /**
   * A run that it executes is handed to it once more: the storage has lost the claim (a failover to a standby that was behind, a backup). The same claim again is the one that
   * goes on. With another one, what goes on has lost its run, which is executed anew when that has ended.
   */
  private keepFor(run: ClaimedRun, earlier: RunningRun): void {
    if (run.fence === earlier.run.fence) return;
    this.held.keep(run);
    earlier.abort('lease-lost');
  }

  /** The storage does not know of that claim any more, so nothing goes back. */
  private forgetEarly(runId: string): void {
    for (const run of this.early.take([runId])) this.held.delete(run);
  }

  /** Takes out those of the given runs, or of all, that it has not begun, as they are not due yet. */
  takeEarly(runIds?: Iterable<string>): Unstarted[] {
    return this.letGoOf(this.early.take(runIds));
  }

  /** Aborts the given runs, or all that are running; what is not due yet goes back, to be ended there if it is to be cancelled. */
  abort(cause: AbortCause, runIds: readonly string[] = this.running.all().map(({ run }) => run.id)): void {
    for (const runId of runIds) {
      const running = this.running.get(runId);
      if (running === undefined) continue;
      // This process may be given it once more, as another worker, before its handler has ended or was given up.
      if (cause === 'lease-lost') void this.parts.stragglers.note(running.run, running.untilHandlerEnded());
      running.abort(cause);
    }
    this.giveBack(this.takeEarly(runIds));
  }

  /** Something has changed, so what is not due yet may not be wanted any more: it goes back. */
  noteChange(): void {
    this.changes++;
    this.giveBack(this.takeEarly());
  }

  /** Resolves when no handler is running any more. */
  async empty(): Promise<void> {
    if (this.running.size > 0) await new Promise<void>((resolve) => this.awaitingEmpty.push(resolve));
  }

  /** Those that it has executed for a while, each until the storage was told of it. */
  longRunning(): LongRunning {
    const since = this.parts.time.scheduleNow() - longRunningMs;
    const found = this.running
      .all()
      .filter((running) => running.startedAt <= since && !this.known.has(running));
    return {
      runIds: found.map(({ run }) => run.id),
      told: () => found.forEach((running) => this.known.add(running)),
    };
  }

  private async askTime(): Promise<void> {
    const { storage, clock, time } = this.parts;
    const sentAt = clock.monotonic();
    try {
      time.observe(await storage.exactNow(), sentAt);
    } catch {
      // It goes by the earlier answers then. Outages are told by those who cannot go on without one.
    }
  }

  private beginEarly(runs: readonly ClaimedRun[]): void {
    for (const run of runs) this.held.delete(run);
    this.giveBack(this.begin(runs));
  }

  private giveBackEarly(runs: readonly ClaimedRun[]): void {
    this.giveBack(this.letGoOf(runs));
  }

  private letGoOf(runs: readonly ClaimedRun[]): Unstarted[] {
    for (const run of runs) this.letGo(run);
    return runs.map((run) => unstarted(run));
  }

  /** It goes back unstarted. */
  private letGo(run: ClaimedRun): void {
    this.held.delete(run);
    this.isolation.ended(run.id);
  }

  /** Until the storage has them, beside everything else. */
  giveBack(runs: readonly Unstarted[]): void {
    if (runs.length > 0) this.parts.giveBack(runs);
  }

  /** Whether it has begun: what fails at the beginning of one must not keep the others of its claim from theirs. */
  private executes(run: ClaimedRun, handler: Handler, startedAt: number): boolean {
    try {
      this.execute(run, handler, startedAt);
      return true;
    } catch (error) {
      this.fail('begin of a run', error);
      // Its handler has been called then, and tells how it ends.
      if (this.running.get(run.id) !== undefined) return true;
      this.letGo(run);
      return false;
    }
  }

  private execute(run: ClaimedRun, handler: Handler, startedAt: number): void {
    const { events, stragglers } = this.parts;
    this.held.add(run);
    if (run.openedAt !== undefined) return this.expire(run, handler, run.openedAt);
    if (events.hears('run.started')) {
      const lagMs = startedAt - run.nominalAt;
      const lateMs = isFirstStart(run) ? lagMs : startedAt - run.dueAt;
      events.emit('run.started', { ...this.teller.eventOf(run), lagMs, lateMs });
    }
    this.tellIsolated(run);
    const running = new RunningRun(run, startedAt, handler, this.attempts);
    this.running.add(running);
    running.begin(stragglers.of(run));
  }

  private tellIsolated(run: ClaimedRun): void {
    const { holding } = this.isolation;
    if (holding?.runId !== run.id) return;
    const atMostMs = Math.max(holding.until - this.parts.clock.monotonic(), 0);
    const { lostCount } = run;
    this.parts.events.emit('run.isolated', { ...this.teller.eventOf(run), lostCount, atMostMs });
  }

  /** The deadline of an open run has passed. */
  private expire(run: ClaimedRun, handler: Handler, openedAt: number): void {
    const running = new RunningRun(run, openedAt, handler, this.attempts);
    this.running.add(running);
    running.expire();
  }

  private finish(running: RunningRun, ending: Ending): void {
    const { random, settler, stragglers, time } = this.parts;
    const { run, abortCause, committed, code } = running;
    const told = ending.kind === 'abandoned' ? stragglers.note(run, running.untilHandlerEnded()) : null;
    this.running.delete(run.id);
    this.isolation.ended(run.id);
    const kept = this.held.takeKept(run.id);
    if (kept !== undefined) this.beginEarly([kept]);
    if (this.awaitingEmpty.length > 0 && this.running.size === 0)
      for (const resolve of this.awaitingEmpty.splice(0)) resolve();
    this.parts.onRoom();
    if (running.logged !== null && running.logged.hasLogged) running.logWritten = this.parts.logs!.flush();
    if (committed !== null) {
      running.trace?.end(committed.outcome, null);
      this.held.delete(run);
      return this.onceLogged(running, () => this.teller.tellCommitted(run, committed, ending));
    }
    const times = this.timesOf(running);
    let judgement: Judgement | null;
    try {
      judgement = judge(run, ending, abortCause, times, random, code.rules);
    } catch (error) {
      this.fail('verdict of a run', error);
      judgement = unjudged(run, times, error);
    }
    running.trace?.end(
      judgement?.settlement.outcome ?? null,
      judgement === null ? abortCause : judgement.error,
    );
    if (judgement === null) {
      this.held.delete(run);
      return;
    }
    const settlement = carriedOn(judgement.settlement, running.trace);
    // A retry waits by the clock that claims it.
    if (settlement.retryAt !== null) settlement.retryAt += time.lateMs;
    const result = new AttemptResult(running, ending, judgement, this.results);
    if (told === null) settler.settle(result);
    else void told.then(() => settler.settle(result));
  }

  /** Who hears of an end finds all that was logged. */
  private onceLogged({ logWritten }: RunningRun, tell: () => void): void {
    const told = (): void => {
      try {
        tell();
      } catch (error) {
        this.fail('end of a run', error);
      }
    };
    if (logWritten === null) told();
    else void logWritten.then(told);
  }

  private fail(part: string, error: unknown): void {
    this.parts.events.emit('engine.failed', { part, error });
  }

  private settled(result: AttemptResult, verdict: SettleVerdict): void {
    const { running, ending, written } = result;
    const { run, committed } = running;
    // What shall be alone waits for it.
    const isWaitedFor = this.isShort || this.isIsolating;
    this.held.delete(run);
    if (isWaitedFor) {
      this.isShort = false;
      this.parts.onRoom();
    }
    if (this.isWithholding && this.withheld.length === 0) {
      this.isWithholding = false;
      this.parts.onOffered();
    }
    if (verdict === 'accepted') this.teller.tell(run, written);
    else if (committed !== null) this.teller.tellCommitted(run, committed, ending);
    else this.teller.tellUnwritten(run, written.settlement, verdict);
  }

  private timesOf({ startedAt }: RunningRun): { startedAt: number; finishedAt: number } {
    return { startedAt, finishedAt: Math.max(this.parts.time.scheduleNow(), startedAt) };
  }
}
