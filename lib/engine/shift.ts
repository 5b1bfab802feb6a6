import { usualRedactor } from '../events/redactor.js';
import type { JobRef } from '../model/job.js';
import type { Unstarted } from '../ports/storage.adapter.js';
import type { EngineParts } from './engine.js';
import type { EngineOptions } from './engine.options.js';
import { LeaseKeeper } from './lease.keeper.js';
import type { RunLogs } from './run.logs.js';
import type { RunProgresses } from './run.progresses.js';
import type { Settler } from './settler.js';
import type { StorageCalls } from './storage.calls.js';
import type { StorageTime } from './storage.time.js';
import type { Stragglers } from './stragglers.js';
import { refuseAdded } from './step.end.js';
import { Tracing } from './tracing.js';
import { unending } from './unending.js';
import { WorkerSession } from './worker.session.js';
import { WorkLoop } from './work.loop.js';

/** One lease with all that hangs on it. */
export interface Shift {
  session: WorkerSession;
  keeper: LeaseKeeper;
  loop: WorkLoop;
  ended: Promise<void>;
}

/** What a shift needs of its engine. */
interface ShiftParts {
  parts: EngineParts;
  options: EngineOptions;
  time: StorageTime;
  calls: StorageCalls;
  settler: Settler;
  logs: RunLogs | null;
  progresses: RunProgresses;
  stragglers: Stragglers;
  random: () => number;
  onLeaseLost: () => void;
  /** How many handlers go on in this process that are not of this shift. */
  goingOnElsewhere: (session: WorkerSession) => number;
  /** Other declarations may be in force than were when this process last looked. */
  onOutOfSync: () => void;
  /** Called with the jobs of runs that have given up or ended as lost. */
  onGaveUp: (jobs: readonly JobRef[]) => void;
  giveBack: (session: WorkerSession, runs: readonly Unstarted[]) => void;
}

/** Begins to keep the lease of a worker, which is known to run from `registeredAt` (monotonic), and to work. */
export function beginShift(workerId: string, registeredAt: number, given: ShiftParts): Shift {
  const { parts, options, time, calls, settler, logs, progresses, stragglers, random, onGaveUp } = given;
  const {
    storage,
    clock,
    events,
    handlers,
    logger,
    redactor = usualRedactor,
    tracing = new Tracing(),
  } = parts;
  const { app, concurrency, abortGraceMs, queues, leaseMs, maxBlockedMs, pollMs, lookAheadMs, calendars } =
    options;
  const trusted = (): boolean => keeper.mayBegin();
  const session: WorkerSession = new WorkerSession(workerId, {
    storage,
    handlers,
    clock,
    time,
    events,
    settler,
    logs,
    progresses,
    stragglers,
    calls,
    logger,
    redactor,
    tracing,
    random,
    addedSteps: parts.addedSteps ?? refuseAdded,
    concurrency,
    abortGraceMs,
    app,
    queues,
    trusted,
    goingOnElsewhere: () => given.goingOnElsewhere(session),
    onGaveUp,
    onRoom: () => loop.nudge(),
    onOffered: () => loop.wake(),
    onSettled: ({ jobUid, flowStep }, { outcome, retryAt, callback, flowStep: end }) => {
      // What these set off is told by who has settled them.
      if (end !== undefined) return;
      // Steps are born by the end of others, and by that of what opens a workflow.
      if (flowStep !== undefined || outcome === 'opened') loop.wake();
      else if (retryAt !== null && retryAt !== Infinity) loop.wake({ kind: 'due', at: retryAt, what: 'run' });
      // Without signals nobody tells of what the end of a run sets off: a fixed delay, a callback, or a run that waited for it.
      else if ((jobUid !== null || callback) && !storage.wakeSignal) loop.wake();
    },
    giveBack: (runs) => given.giveBack(session, runs),
  });
  const keeper: LeaseKeeper = new LeaseKeeper(
    {
      storage,
      clock,
      events,
      outages: calls.outages,
      workerId,
      leaseMs,
      maxBlockedMs,
      running: () => session.inHands,
      longRunning: () => session.longRunning(),
      givenUp: () => stragglers.steps,
      reached: () => time.reached,
      clockOffsetMs: () => time.localOffsetMs,
    },
    {
      onTime: (now, sentAt) => time.observe(now, sentAt),
      onCancelled: (runIds) => session.abort('cancel', runIds),
      onOutOfSync: given.onOutOfSync,
      onLost: given.onLeaseLost,
      onAwake: () => loop.nudge(),
    },
    registeredAt,
  );
  const loop = new WorkLoop(session, {
    storage,
    clock,
    time,
    events,
    calls,
    random,
    pollMs,
    lookAheadMs,
    calendars,
    app,
    pauseEnds: parts.pauseEnds,
    trusted,
    onGaveUp,
  });
  const ended = unending(
    'work loop',
    () => loop.run(),
    () => session.active,
    { clock, events },
  );
  return { session, keeper, loop, ended };
}
