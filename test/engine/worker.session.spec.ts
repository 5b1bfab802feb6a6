import { beforeEach, describe, expect, test } from 'vitest';
import { HandlerRegistry } from '../../lib/engine/handler.registry.js';
import type { RunContext } from '../../lib/engine/run.context.js';
import { RunProgresses } from '../../lib/engine/run.progresses.js';
import { Settler } from '../../lib/engine/settler.js';
import { StorageCalls } from '../../lib/engine/storage.calls.js';
import { StorageTime } from '../../lib/engine/storage.time.js';
import { OwnScope, Tracing } from '../../lib/engine/tracing.js';
import { refuseAdded } from '../../lib/engine/step.end.js';
import { Stragglers } from '../../lib/engine/stragglers.js';
import { WorkerSession } from '../../lib/engine/worker.session.js';
import { ChronisEvents } from '../../lib/events/chronis.events.js';
import { usualRedactor } from '../../lib/events/redactor.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import type { Unstarted } from '../../lib/ports/storage.adapter.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { claimedRun } from '../support/claimed-run.js';

let clock: ManualClock;
let session: WorkerSession;
let begun: RunContext[];
let given: Unstarted[];

beforeEach(async () => {
  clock = new ManualClock();
  begun = [];
  given = [];
  const events = new ChronisEvents();
  const storage = new MemoryStorage({ clock });
  const handlers = new HandlerRegistry();
  handlers.register(
    'handler',
    (context: RunContext) => {
      begun.push(context);
      return new Promise((_, reject) =>
        context.signal.addEventListener('abort', () => reject(new Error('Aborted.'))),
      );
    },
    'test',
  );
  const time = new StorageTime(clock);
  time.observe(clock.now(), clock.monotonic());
  const tracing = new Tracing();
  const scope = new OwnScope(tracing);
  session = new WorkerSession('worker', {
    ...{ storage, handlers, clock, time, events, stragglers: new Stragglers(async () => undefined) },
    calls: new StorageCalls(clock, events, () => 0.5),
    settler: new Settler(storage, new StorageCalls(clock, events, () => 0.5)),
    logger: () => ({ log() {}, warn() {}, error() {}, debug() {} }),
    redactor: usualRedactor,
    tracing,
    ...{ random: () => 0.5, concurrency: 2, abortGraceMs: 5_000, app: 'test', queues: ['default'] },
    logs: null,
    progresses: new RunProgresses(undefined, clock, events, usualRedactor, () => clock.now(), scope),
    addedSteps: refuseAdded,
    trusted: () => true,
    goingOnElsewhere: () => 0,
    onRoom: () => undefined,
    onOffered: () => undefined,
    onSettled: () => undefined,
    giveBack: (runs) => given.push(...runs),
    onGaveUp: () => undefined,
  });
});

describe('a session that is handed a run once more, with another claim,', () => {
  const claim = (fence: number, inMs = 0) => claimedRun({ fence, dueAt: clock.now() + inMs });
  const known = (fence: number): boolean =>
    session.unknownOf([{ runId: '1', fence, worker: 'worker' }]).length === 0;

  test('lets go of the first claim as soon as its handler has heard of it', async () => {
    session.begin([claim(1)]);
    session.begin([claim(2)]);
    await clock.advanceBy(100);
    expect(begun).toHaveLength(2);
    expect([known(1), known(2)]).toEqual([false, true]);
  });

  test('lets go of a second claim that waits when it is handed a third', async () => {
    session.begin([claim(1)]);
    session.begin([claim(2)]);
    session.begin([claim(3)]);
    expect([known(2), known(3)]).toEqual([false, true]);
    await clock.advanceBy(100);
    expect(begun).toHaveLength(2);
    expect([known(1), known(2), known(3)]).toEqual([false, false, true]);
  });

  test('lets go of the first claim when that has not begun, as it is not due yet', async () => {
    session.begin([claim(1, 1_000)]);
    session.begin([claim(2)]);
    expect(session.inHands).toBe(1);
    await clock.advanceBy(2_000);
    expect(begun.map(({ signal }) => signal.aborted)).toEqual([false]);
    expect([known(1), known(2), session.inHands]).toEqual([false, true, 1]);
    expect(given).toEqual([]);
  });
});

test('a session begins what must not run twice as soon as it is claimed, a fraction of a millisecond early or not', () => {
  const policies = { recovery: 'abandon' as const };
  const asOf = session.changes;
  session.noteChange();
  expect(session.begin([claimedRun({ policies, dueAt: clock.now() + 0.4 })], asOf)).toEqual([]);
  session.noteChange();
  expect(given).toEqual([]);
  expect(begun).toHaveLength(1);
});
