import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { ChronisEvents } from '../events/chronis.events.js';
import { usualRedactor, type Redactor } from '../events/redactor.js';
import { SchedulerRunningError, SchedulerStoppedError, StorageBusyError } from '../model/errors.js';
import { isOf } from '../model/recognized.js';
import type { Clock } from '../ports/clock.js';
import type { LockAdapter } from '../ports/lock.adapter.js';
import type { StorageAdapter, WorkerRegistration, PauseEndPlans } from '../ports/storage.adapter.js';
import type { Wake } from '../ports/wake.signal.js';
import { BootLease } from './boot.lease.js';
import { Circuit } from './circuit.js';
import { tellDifferences } from './differences.js';
import type { EngineOptions } from './engine.options.js';
import { GivingBack } from './giving.back.js';
import { GuardedClock, guardedRandom } from './guarded.clock.js';
import { HandlerAnnouncement } from './handler.announcement.js';
import type { HandlerRegistry } from './handler.registry.js';
import { Janitor, type Owed } from './janitor.js';
import { LookAgain } from './look.again.js';
import type { FailingOperation } from './outages.js';
import type { HandlerLogger } from './run.context.js';
import { RunLogs } from './run.logs.js';
import { RunProgresses } from './run.progresses.js';
import { Settler } from './settler.js';
import { beginShift, type Shift } from './shift.js';
import { StorageCalls } from './storage.calls.js';
import type { AddedSteps } from './step.end.js';
import { StorageTime } from './storage.time.js';
import { Subscription } from './subscription.js';
import { Stragglers } from './stragglers.js';
import { OwnScope, Tracing } from './tracing.js';
import { unending } from './unending.js';
import { applyZoneData } from './zone.data.js';
import type { IsolatedRun, WorkerSession } from './worker.session.js';

/** What an engine works with. */
export interface EngineParts {
  storage: StorageAdapter;
  lock: LockAdapter;
  clock: Clock;
  handlers: HandlerRegistry;
  events: ChronisEvents;
  logger: (handler: string) => HandlerLogger;
  /** @default the usual one */
  redactor?: Redactor;
  /** @default nothing is traced */
  tracing?: Tracing;
  /** What a step adds to its workflow, as it is stored. @default steps that add some are refused */
  addedSteps?: AddedSteps;
  /** Where jobs go on whose pauses have come to their end. @default no pause is ended */
  pauseEnds?: PauseEndPlans;
  /** Numbers in [0, 1); a seeded one makes a simulation repeatable. @default Math.random */
  random?: () => number;
}

/** Registers workers with what the code declares. */
export interface Enrolment {
  /** The number of the set that is carried now; null: of none. */
  readonly generation: number | null;
  /** `sentAt`: monotonic time before the lease began. Rejects with what stands in the way; nothing was written then. */
  enroll(worker: WorkerRegistration, leaseMs: number): Promise<{ now: number; sentAt: number }>;
  /** Workers have come or gone, so that other declarations may be in force. */
  follow(): void;
  /** No more: resolves when nothing of it is under way. */
  end(): Promise<void>;
}

/** What an engine is doing. @publicApi */
export type EngineState = 'idle' | 'starting' | 'working' | 'draining';

/** How an engine stands; times are monotonic. */
export interface EngineStatus {
  state: EngineState;
  since: number;
  workerId: string | null;
  /** When the lease was last renewed; null: it has none. */
  leaseRenewedAt: number | null;
  /** Null: it has a lease, or needs none. */
  leaseLostAt: number | null;
  /** Handlers that are going on. */
  running: number;
  /** The same by queue, of all that this process serves. */
  runningIn: ReadonlyMap<string, number>;
  concurrency: number;
  /** When the loop last went on, while the storage is away after each try; null: there is none, as it does not work or waits for another lease. */
  turnedAt: number | null;
  pollMs: number;
  failing: readonly FailingOperation[];
  /** Why no signals of other processes arrive at present; null: they do, or none are listened for. */
  unheard: { error: unknown } | null;
  /** What it executes alone, so that nothing else begins; null: nothing. */
  isolated: IsolatedRun | null;
}

/** A local clock this far off the storage's is worth a warning. */
const worthTellingOffsetMs = 1_000;
/** How long a start waits for what somebody has locked. */
const enrolmentPatienceMs = 60_000;
/** So long before the time of the shutdown is over the last handler ends, whether or not it heeds its signal: its verdict has to be written within it. */
const verdictsMs = 1_000;
/** And so long beyond it the storage may take for the verdicts of those that came last. */
const lastVerdictsMs = 1_050;
/** And then to let go of the worker; hardly anything where it has not answered for all that time. Half a second more is for its connections. */
const farewellMs = { usual: 400, ofSilent: 50 };

/**
 * Runs due jobs in this process: registers a worker, keeps its lease, fires, claims, executes and settles until stopped.
 *
 * idle → start → working → stop → draining → idle. A lost lease does not leave `working`: the runs are aborted and
 * the engine registers as a new worker. Knows nothing of Nest.
 */
export class Engine {
  private enrolment: Enrolment | null = null;
  private readonly parts: EngineParts;
  private phase: { state: EngineState; since: number };
  /** Monotonic; null: the lease holds, or there was none. */
  private leaseLostAt: number | null = null;
  private shift: Shift | null = null;
  /** All sessions with handlers that have not ended, the current one included. */
  private readonly sessions = new Set<WorkerSession>();
  private wakes: Subscription | null = null;
  private unheard: EngineStatus['unheard'] = null;
  private stopWatchingHandlers: (() => void) | null = null;
  private janitor: Janitor | null = null;
  private readonly random: () => number;
  private readonly time: StorageTime;
  private readonly calls: StorageCalls;
  private settler: Settler;
  /** Null: the storage keeps none. */
  private readonly logs: RunLogs | null;
  private readonly progresses: RunProgresses;
  private readonly circuit: Circuit;
  private readonly stragglers = new Stragglers(() => this.tellGivenUp());
  private readonly givingBack: GivingBack;
  private readonly lookAgain: LookAgain;
  private readonly announcement = new HandlerAnnouncement(() => this.announceHandlers());
  // Created with the engine, so that the loop does not live in the async context of the request that started it.
  private readonly scope: OwnScope;

  constructor(
    given: EngineParts,
    private readonly options: EngineOptions,
  ) {
    this.random = guardedRandom(given.random ?? Math.random, (part, error) => this.fail(part, error));
    this.scope = new OwnScope(given.tracing ?? new Tracing());
    const parts = { ...given, clock: GuardedClock.of(given.clock, (part, error) => this.fail(part, error)) };
    this.parts = parts;
    this.phase = { state: 'idle', since: parts.clock.monotonic() };
    this.time = new StorageTime(parts.clock, (leap) => parts.events.emit('clock.leapt', leap));
    this.calls = new StorageCalls(parts.clock, parts.events, this.random);
    this.settler = this.newSettler();
    const { runLogs, runProgress } = parts.storage;
    const now = (): number => this.time.scheduleNow();
    this.logs =
      runLogs === undefined ? null : new RunLogs(runLogs, parts.clock, parts.events, now, this.scope);
    const { clock, events, redactor = usualRedactor } = parts;
    this.progresses = new RunProgresses(runProgress, clock, events, redactor, now, this.scope);
    this.givingBack = new GivingBack(
      parts.storage,
      this.parts.clock,
      this.calls,
      (jobs) => void this.circuit.note(jobs),
    );
    this.lookAgain = new LookAgain(parts.clock, (wake) => this.wake(wake));
    this.circuit = new Circuit(parts.storage, this.calls, parts.events, () => this.running);
  }

  get running(): boolean {
    return this.state === 'working';
  }

  /** The places of the steps that this process executes, though it has told their handlers to stop: with or without their verdict. */
  get givenUp(): string[] {
    const aborted = [...this.sessions].flatMap((session) => session.abortedSteps);
    return [...new Set([...this.stragglers.steps, ...aborted])];
  }

  /** How far schedules are ahead of the storage's clock, which has leapt back and is doubted. */
  get scheduleAheadMs(): number {
    return this.time.scheduleAheadMs;
  }

  status(): EngineStatus {
    const { shift, leaseLostAt, workerId, unheard } = this;
    const leaseRenewedAt = shift?.keeper.lastRenewedAt ?? null;
    const { queues, concurrency, pollMs } = this.options;
    const runningIn = new Map(queues.map((queue) => [queue, 0]));
    let running = 0;
    for (const session of this.sessions) {
      running += session.runningCount;
      for (const queue of session.runningQueues) runningIn.set(queue, (runningIn.get(queue) ?? 0) + 1);
    }
    const { failing } = this.calls.outages;
    const turnedAt = shift?.session.active ? shift.loop.turnedAt : null;
    const load = { running, runningIn, concurrency, turnedAt, pollMs };
    const isolated = shift?.session.isolated ?? null;
    return { ...this.phase, workerId, leaseRenewedAt, leaseLostAt, ...load, failing, unheard, isolated };
  }

  private get state(): EngineState {
    return this.phase.state;
  }

  private set state(state: EngineState) {
    this.phase = { state, since: this.parts.clock.monotonic() };
  }

  /** Of the current lease; null while there is none. */
  get workerId(): string | null {
    return this.shift?.session.workerId ?? null;
  }

  /** Begins to work; resolves when the worker is registered. Throws SchedulerRunningError, and what stands in the way of the enrolment. */
  start(enrolment: Enrolment | null = null): Promise<void> {
    if (this.state !== 'idle') throw new SchedulerRunningError();
    this.state = 'starting';
    return this.scope.run(() => this.begin(enrolment));
  }

  /**
   * Stops claiming, waits for running handlers, aborts them so early that `abortGraceMs` and a second for their verdicts are left of `shutdownTimeoutMs`, hands back what is
   * unfinished then, and ends the lease. Throws SchedulerStoppedError when it does not run.
   */
  stop(): Promise<void> {
    if (this.state !== 'working' || this.shift === null) throw new SchedulerStoppedError();
    this.state = 'draining';
    const { shift } = this;
    return this.scope.run(() => this.drain(shift));
  }

  /** Something was changed, here or elsewhere: look at once. */
  wake(wake?: Wake): void {
    // Not in the context of who asked: all later beats would go on in it.
    this.scope.run(() => this.heed(wake));
  }

  private tellGivenUp(): Promise<void> {
    const tell = (): Promise<void> => this.shift?.keeper.told() ?? Promise.resolve();
    return this.scope.run(tell);
  }

  private heed(wake?: Wake): void {
    // The renewal tells which runs are to be cancelled.
    if (wake?.kind === 'cancel') return this.shift?.keeper.beat();
    if (wake?.kind === 'release') this.enrolment?.follow();
    if (wake?.kind !== 'due') this.shift?.session.noteChange();
    this.shift?.loop.wake(wake);
  }

  /** Something was changed in a transaction that is not committed yet: looks several times within half a second, as nobody tells of the commit. */
  wakeAfterCommit(wake: Wake): void {
    if (!this.running) return;
    // The poll comes before that is due.
    if (wake.kind === 'due' && wake.at > this.time.now() + 2 * this.options.pollMs) return;
    this.scope.run(() => this.lookAgain.begin(wake.kind));
  }

  private async begin(enrolment: Enrolment | null): Promise<void> {
    const { storage, handlers, events, lock, clock } = this.parts;
    let lease: BootLease | null = null;
    const owed: Owed[] = [];
    try {
      this.calls.calm();
      this.settler = this.newSettler();
      const workerId = randomUUID();
      this.enrolment = enrolment;
      try {
        const registeredAt = await this.enrollPatiently(workerId);
        lease = new BootLease(storage, clock, workerId, this.options.leaseMs, registeredAt);
        await this.goingOn(owed, 'zone data', () =>
          applyZoneData(storage, events, this.options.zoneData, this.options.calendars),
        );
        await this.goingOn(owed, 'look around', () => tellDifferences(storage, events, this.options));
      } catch (error) {
        await storage.unregister(workerId).catch(() => undefined);
        throw error;
      }
      await this.listen();
      this.stopWatchingHandlers = handlers.onChange(() => {
        // What was read or claimed ahead for a handler that is withdrawn is not ours any more, whether or not the storage answers.
        this.wake();
        this.announcement.note();
      });
      this.janitor = new Janitor(
        storage,
        lock,
        clock,
        events,
        this.calls.outages,
        this.random,
        this.options,
        () => this.shift?.loop.checkLeases(),
      );
      this.janitor.start(workerId, owed);
      this.state = 'working';
      this.work(workerId, lease.stop());
    } catch (error) {
      lease?.stop();
      this.state = 'idle';
      throw error;
    }
    const { name, queues, concurrency } = this.options;
    events.emit('worker.started', {
      workerId: this.workerId!,
      name,
      storage: storage.kind,
      queues,
      handlers: handlers.offered(),
      concurrency,
      zoneData: this.options.zoneData,
    });
    const offsetMs = this.time.localOffsetMs;
    if (Math.abs(offsetMs) >= worthTellingOffsetMs) events.emit('clock.offset', { offsetMs });
  }

  /** Waits for whoever has locked what the enrolment needs: a process that does not start would only have to be started again. */
  private async enrollPatiently(workerId: string): Promise<number> {
    const { clock } = this.parts;
    const giveUpAt = clock.monotonic() + enrolmentPatienceMs;
    for (let failures = 0; ; failures++) {
      try {
        const registeredAt = await this.enroll(workerId);
        this.calls.outages.answered('register');
        return registeredAt;
      } catch (error) {
        if (!isOf(error, StorageBusyError) || clock.monotonic() >= giveUpAt) throw error;
        await this.calls.pauseAfter('register', error, failures);
      }
    }
  }

  /** What a start can do without: the janitor comes back to it. */
  private async goingOn(owed: Owed[], operation: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      owed.push({ operation, work });
      this.parts.events.emit('storage.failing', { operation, error, retryInMs: this.options.janitorMs });
    }
  }

  /** The first registration, with what the code declares. Returns the monotonic time from which the lease is known to run. */
  private async enroll(workerId: string): Promise<number> {
    if (this.enrolment === null) return this.register(workerId);
    const enrolled = await this.enrolment.enroll(this.registration(workerId), this.options.leaseMs);
    this.time.observe(enrolled.now, enrolled.sentAt);
    return enrolled.sentAt;
  }

  /** Returns the monotonic time from which the lease is known to run. */
  private async register(workerId: string): Promise<number> {
    const sentAt = this.parts.clock.monotonic();
    const answer = await this.parts.storage.register(this.registration(workerId), this.options.leaseMs);
    this.time.observe(answer.now, sentAt);
    return sentAt;
  }

  private registration(workerId: string): WorkerRegistration {
    const { name, app, version, queues, zoneData, retention, concurrency } = this.options;
    return {
      id: workerId,
      name,
      app,
      generation: this.enrolment?.generation ?? null,
      host: hostname(),
      pid: process.pid,
      version,
      zoneData,
      queues,
      handlers: this.parts.handlers.offered(),
      retention,
      slots: concurrency,
    };
  }

  private work(workerId: string, registeredAt: number): void {
    const { parts, options, time, calls, settler, logs, progresses, stragglers, random } = this;
    const shift: Shift = beginShift(workerId, registeredAt, {
      parts,
      options,
      time,
      calls,
      settler,
      logs,
      progresses,
      stragglers,
      random,
      onLeaseLost: () => void this.replaceLease(shift),
      goingOnElsewhere: (session) => this.goingOnBeside(session),
      onOutOfSync: () => this.enrolment?.follow(),
      onGaveUp: (jobs) => void this.circuit.note(jobs),
      giveBack: (session, runs) => void this.givingBack.giveBack(runs, () => this.sessions.has(session)),
    });
    this.sessions.add(shift.session);
    this.shift = shift;
    this.leaseLostAt = null;
  }

  private newSettler(): Settler {
    const { storage } = this.parts;
    return new Settler(storage, this.calls, (settlements) =>
      this.shift ? this.shift.loop.settleSteps(settlements) : storage.settle(settlements),
    );
  }

  private goingOnBeside(session: WorkerSession): number {
    let count = 0;
    for (const other of this.sessions) if (other !== session) count += other.runningCount;
    return count;
  }

  /** Never rejects, and does not leave the engine without a lease as long as it works. */
  private async replaceLease(lost: Shift): Promise<void> {
    await unending(
      'loss of the lease',
      () => this.loseLease(lost),
      () => this.state === 'working' && this.shift === lost,
      this.parts,
    );
  }

  /** The runs may be others' already: tells the handlers, and goes on as a new worker as soon as the storage answers. */
  private async loseLease(lost: Shift): Promise<void> {
    if (this.shift !== lost) return;
    const { session } = lost;
    this.leaseLostAt = this.parts.clock.monotonic();
    this.close(lost);
    session.takeEarly();
    const isStopping = this.state !== 'working';
    const { workerId: lostId, runningCount: runs } = session;
    this.parts.events.emit('worker.lease-lost', { workerId: lostId, runs, isStopping });
    session.abort('lease-lost');
    void session.empty().then(() => {
      this.sessions.delete(session);
      // What is to be alone waits for it.
      this.shift?.loop.nudge();
    });
    // A stop and a start meanwhile have begun another shift, which needs no successor of this one.
    const isNeeded = (): boolean => this.state === 'working' && this.shift === lost;
    if (!isNeeded()) return;
    const workerId = randomUUID();
    const registered = await this.calls.repeat('register', () => this.register(workerId), isNeeded);
    if (registered === null) return;
    // Stopped meanwhile: leave nothing behind that looks alive.
    if (!isNeeded()) await this.parts.storage.unregister(workerId).catch(() => undefined);
    else this.work(workerId, registered.value);
    // The storage may have lost the set with the worker.
    this.enrolment?.follow();
  }

  private close({ session, keeper, loop }: Shift): void {
    session.active = false;
    keeper.stop();
    loop.nudge();
  }

  private async drain(shift: Shift): Promise<void> {
    const { shutdownTimeoutMs, abortGraceMs } = this.options;
    const { storage, events, clock } = this.parts;
    const endAt = clock.monotonic() + shutdownTimeoutMs;
    // A short shutdown is mostly that of the handlers all the same.
    const reservedMs = Math.min(verdictsMs, (shutdownTimeoutMs - abortGraceMs) / 4);
    this.janitor?.stop();
    this.lookAgain.stop();
    this.stopWatchingHandlers?.();
    shift.session.active = false;
    shift.session.isDraining = true;
    shift.loop.nudge();
    this.calls.hurry();
    const enrolmentEnded = this.enrolment?.end();
    const sessions = [...this.sessions];
    const runs = sessions.flatMap((session) => session.runningRuns);
    if (runs.length > 0) {
      events.emit('worker.draining', {
        workerId: shift.session.workerId,
        runs,
        timeoutMs: shutdownTimeoutMs - abortGraceMs - reservedMs,
      });
    }
    const emptied = (): Promise<unknown> => Promise.all(sessions.map((session) => session.empty()));
    // What is under way when the loop ends may bring runs.
    const ended = shift.ended.then(emptied);
    // The lease is kept up through the drain: keeper.stop() comes last.
    const givenBack = this.givingBack.giveBack(shift.session.takeEarly(), () => this.sessions.size > 0);
    await this.within(
      shutdownTimeoutMs - abortGraceMs - reservedMs,
      Promise.all([ended, emptied(), givenBack]),
    );
    shift.session.isDraining = false;
    for (const session of sessions) session.abort('shutdown');
    await emptied();
    // What is locked by somebody else, or does not get through yet, is tried to the end: what has been done should not be done again.
    const now = clock.monotonic();
    const flushedBy = Math.max(endAt, Math.min(now + reservedMs, endAt) + lastVerdictsMs);
    const isFlushed = await this.within(
      flushedBy - now,
      Promise.all([
        this.stragglers.untilTold().then(() => this.settler.flush()),
        this.logs?.flush(),
        this.progresses.flush(),
        enrolmentEnded,
      ]),
    );
    const isSilent = !isFlushed && !this.settler.isHeldUp;
    this.settler.close();
    this.calls.hurry();
    shift.keeper.stop();
    const farewell = Promise.all([storage.unregister(shift.session.workerId), this.wakes?.end()]).catch(
      (error: unknown) => events.emit('storage.failing', { operation: 'unregister', error, retryInMs: 0 }),
    );
    // The lease ends by itself, if the storage does not answer.
    const leastMs = isSilent ? farewellMs.ofSilent : farewellMs.usual;
    await this.within(Math.max(endAt - clock.monotonic(), leastMs), farewell);
    this.wakes = null;
    this.unheard = null;
    this.shift = null;
    this.leaseLostAt = null;
    this.sessions.clear();
    this.givingBack.stop();
    this.state = 'idle';
    const { workerId, done } = shift.session;
    events.emit('worker.stopped', { workerId, ...done });
  }

  /** Waits for the work, but no longer than the time; false: it was over. */
  private async within(ms: number, work: Promise<unknown>): Promise<boolean> {
    let cancel = (): void => undefined;
    const timeout = new Promise<false>((resolve) => {
      cancel = this.parts.clock.setTimer(ms, () => resolve(false));
    });
    const isDone = await Promise.race([work.then(() => true), timeout]);
    cancel();
    return isDone;
  }

  private async listen(): Promise<void> {
    const { storage, events, clock } = this.parts;
    const { wakeSignal } = storage;
    if (!wakeSignal) return;
    const lost = (error: unknown): void => {
      this.unheard = { error };
      events.emit('wake.unavailable', { error });
    };
    const resumed = (): void => {
      this.unheard = null;
      events.emit('wake.recovered', {});
    };
    this.wakes = new Subscription({
      subscribe: () => wakeSignal.subscribe((wake) => this.hear(wake), { lost, resumed }),
      clock,
      random: this.random,
      onRefused: lost,
      onAccepted: () => {
        resumed();
        this.wake();
      },
    });
    await this.wakes.begin();
  }

  /** A throw would go up into the connection of the storage. */
  private hear(wake: Wake): void {
    try {
      this.wake(wake);
    } catch (error) {
      this.fail('wake signal', error);
    }
  }

  private fail(part: string, error: unknown): void {
    this.parts.events.emit('engine.failed', { part, error });
  }

  private async announceHandlers(): Promise<void> {
    const { storage, handlers } = this.parts;
    await this.calls.repeat(
      'update worker',
      async () => {
        if (this.workerId === null) return;
        const generation = this.enrolment?.generation ?? null;
        await storage.updateWorker(this.workerId, { handlers: handlers.offered(), generation });
      },
      () => this.state === 'working',
    );
    this.wake();
  }
}
