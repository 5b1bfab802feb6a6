import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  JobNotFoundError,
  type ExplainedAnswer,
  type ExplainedCause,
  type StorageAdapter,
} from '../../lib/index.js';
import { MemoryStorage } from '../../lib/memory/memory.storage.js';
import { explainInstant } from '../../lib/scheduler/explaining.js';
import { planResume } from '../../lib/scheduler/resume.plan.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  fireDue,
  fireOne,
  hour,
  minute,
  oneOff,
  ref,
  second,
  settle,
  startWorker,
} from '../../lib/testing/laws/fixture.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import pg from 'pg';
import { newStorage } from '../support/postgres.subject.js';
import { storageKinds } from '../support/real.app.js';
import { databaseUrl, freshSchema } from '../support/schema.js';

type Instant = number;
type Case = [
  cause: ExplainedCause,
  answer: ExplainedAnswer,
  /** Makes it so; gives the instant that is asked about, of the job "job". */
  arrange: (on: Ground) => Promise<Instant>,
  says: RegExp,
  row: string | null,
];

interface Ground {
  storage: StorageAdapter;
  clock: ManualClock;
  /** The next full minute. */
  next: Instant;
}

const work = { leaseMs: 24 * hour };

/** A job of every minute that was created some minutes ago and stands at the minute that has begun. */
async function everyMinute(on: Ground, given: Parameters<typeof addRecurring>[1] = {}): Promise<Instant> {
  await addRecurring(on.storage, { nextAt: on.next, ...given });
  await on.clock.advanceBy(on.next - on.clock.now() + second);
  return on.next;
}

const cases: Case[] = [
  [
    'succeeded',
    'ran',
    async (on) => {
      const at = await everyMinute(on);
      await settle(on.storage, await fireOne(on.storage, await startWorker(on.storage, work)));
      return at;
    },
    /began at .* and succeeded at .*\(run \d+, attempt 1\)\.$/,
    'attempt',
  ],
  ...(['failed', 'timed_out', 'lost'] as const).map((outcome): Case => [
    outcome,
    'ran',
    async (on) => {
      const at = await everyMinute(on);
      const run = await fireOne(on.storage, await startWorker(on.storage, work));
      await settle(on.storage, run, { outcome, error: 'Error: no paper\n    at print' });
      return at;
    },
    outcome === 'failed' ? /failed at .*: Error: no paper\.$/ : /"job"/,
    'attempt',
  ]),
  [
    'cancelled',
    'did-not-run',
    async (on) => {
      const at = await everyMinute(on);
      const worker = await startWorker(on.storage, work);
      await fireDue(on.storage, worker, { room: 0 });
      await on.storage.cancelJob(ref('job'));
      return at;
    },
    /cancelled at .* before it had begun/,
    'attempt',
  ],
  [
    'running',
    'runs',
    async (on) => {
      const at = await everyMinute(on);
      await fireOne(on.storage, await startWorker(on.storage, work));
      return at;
    },
    /has been running since .*worker worker-/,
    'run',
  ],
  [
    'open',
    'runs',
    async (on) => {
      const at = await everyMinute(on);
      const run = await fireOne(on.storage, await startWorker(on.storage, work));
      await settle(on.storage, run, { outcome: 'opened', retryAt: null });
      return at;
    },
    /has been open since .*without a deadline/,
    'run',
  ],
  [
    'retry',
    'waits',
    async (on) => {
      const at = await everyMinute(on);
      const run = await fireOne(on.storage, await startWorker(on.storage, work));
      await settle(on.storage, run, { outcome: 'failed', error: 'Error: busy', retryInMs: hour });
      return at;
    },
    /has failed and is tried again at .*: Error: busy\.$/,
    'run',
  ],
  [
    'overlap-queue',
    'waits',
    async (on) => {
      await everyMinute(on, { policies: { overlap: 'queue' } });
      const worker = await startWorker(on.storage, work);
      const change = { overlap: 'queue', nextAt: on.next + minute } as const;
      await fireOne(on.storage, worker, change);
      await on.clock.advanceBy(minute);
      await fireDue(on.storage, worker, change);
      return on.next + minute;
    },
    /waits for the end of an earlier run, as overlap is 'queue'/,
    'run',
  ],
  [
    'no-free-slot',
    'waits',
    async (on) => {
      const at = await everyMinute(on);
      await fireDue(on.storage, await startWorker(on.storage, work), { room: 0 });
      return at;
    },
    /waits for a free slot/,
    'run',
  ],
  [
    'isolated-run',
    'waits',
    async (on) => {
      await addOneOff(on.storage, { id: 'long', dueInMs: -second, policies: { maxLost: 2 } });
      await claimOne(on.storage, await startWorker(on.storage, { leaseMs: 500 }));
      const at = await everyMinute(on);
      await on.storage.releaseLost();
      const worker = await startWorker(on.storage, work);
      await claimOne(on.storage, worker);
      await fireDue(on.storage, worker, { room: 0 });
      return at;
    },
    /waits for the end of run \d+ of "long" \(work\), or until .* \(UTC\) at the latest: the workers of that have died \(1\), so it is executed alone/,
    'run',
  ],
  [
    'no-handler',
    'waits',
    async (on) => {
      await startWorker(on.storage, { ...work, handlers: ['other'] });
      return everyMinute(on);
    },
    /no live worker has the handler "work"/,
    'job',
  ],
  [
    'queue-not-consumed',
    'waits',
    async (on) => {
      await startWorker(on.storage, work);
      return everyMinute(on, { queue: 'mail' });
    },
    /takes the queue "mail"/,
    'job',
  ],
  [
    'about-to-fire',
    'waits',
    async (on) => {
      await startWorker(on.storage, work);
      return everyMinute(on);
    },
    /is due and about to be fired/,
    'job',
  ],
  [
    'not-yet-due',
    'will-run',
    async (on) => {
      await startWorker(on.storage, work);
      await everyMinute(on);
      return on.next + hour;
    },
    /^"job" will run at .*\(UTC\)\.$/,
    'job',
  ],
  [
    'waits-for-jobs',
    'waits',
    async (on) => {
      await addOneOff(on.storage, { id: 'first', dueInMs: hour });
      const [created] = await on.storage.insertJobs(
        [{ ...(await oneOff(on.storage, { dueInMs: null })), trigger: { type: 'after', jobs: ['first'] } }],
        'raise',
      );
      expect(created!.status).toBe('created');
      return on.clock.now();
    },
    /waits for "first" to succeed/,
    'run',
  ],
  [
    'paused-job',
    'did-not-run',
    async (on) => {
      const at = await everyMinute(on);
      await on.storage.pauseJob(ref('job'), { reason: 'audit', by: 'ops' });
      return at;
    },
    /The job is paused since .* by ops \(audit\)/,
    'gap',
  ],
  ...(['handler', 'queue', 'namespace', 'all'] as const).map((kind): Case => [
    `paused-${kind}`,
    'did-not-run',
    async (on) => {
      const name = { handler: 'work', queue: 'default', namespace: 'default', all: '' }[kind];
      await on.storage.pauseScope({ kind, name }, { reason: null, by: null });
      return everyMinute(on);
    },
    kind === 'all' ? /^Everything is paused/ : new RegExp(`^The ${kind} ".*" is paused since`),
    'pause',
  ]),
  [
    'paused',
    'did-not-run',
    async (on) => {
      const at = await everyMinute(on);
      await on.storage.pauseJob(ref('job'), { reason: null, by: null });
      await on.clock.advanceBy(5 * minute);
      await on.storage.resumeJob(ref('job'), (job, now) => planResume('default', job, now, {}));
      return at;
    },
    /it was paused, with 6 instants from/,
    'gap',
  ],
  [
    'orphaned',
    'did-not-run',
    async (on) => {
      const at = await everyMinute(on, { source: 'code', app: 'shop' });
      const { workerId } = await startWorker(on.storage, work);
      const names = {
        app: 'shop',
        setHash: 'empty',
        declarations: [],
        workerId,
        graceMs: 0,
        previousApps: [],
      };
      await on.storage.syncDefinitions({
        ...names,
        plan: (stored) => ({
          changes: stored.map(({ uid }) => ({ kind: 'orphan', uid, reason: 'undeclared' })),
          outranked: [],
        }),
      });
      return at;
    },
    /no live code declared the job then/,
    'gap',
  ],
  [
    'overlap-skip',
    'did-not-run',
    async (on) => {
      await everyMinute(on);
      const worker = await startWorker(on.storage, work);
      await fireOne(on.storage, worker, { nextAt: on.next + minute });
      await on.clock.advanceBy(minute);
      await fireDue(on.storage, worker, { nextAt: on.next + 2 * minute });
      return on.next + minute;
    },
    /an earlier run had not ended, and overlap is 'skip'/,
    'gap',
  ],
  ...(
    [
      ['misfire', 'misfire', 'missed', /misfire is 'once': the latest instant ran for all/],
      ['misfire-limit', 'misfire limit', 'missed', /misfireLimit leaves out/],
      ['withdrawn', 'withdrawn', 'missed', /withdrawn its handler/],
      ['missed', 'some other reason', 'missed', /did not run: some other reason\.$/],
      ['excluded', 'exclusion', 'excluded', /is excluded by its schedule/],
    ] as const
  ).map(([cause, reason, verdict, says]): Case => [
    cause,
    'did-not-run',
    async (on) => {
      const at = await everyMinute(on);
      const gap = { from: at, until: at, verdict, count: 1, reason };
      await fireDue(on.storage, await startWorker(on.storage, work), { births: [], gaps: [gap] });
      return at;
    },
    says,
    'gap',
  ]),
  [
    'not-in-schedule',
    'did-not-run',
    async (on) => (await everyMinute(on)) + 500,
    /:00\.500 .* is none of its times; near it are .*:00 .* and .*:00/,
    'job',
  ],
  [
    'before-start',
    'will-not-run',
    async (on) => {
      await everyMinute(on, {
        trigger: { type: 'cron', expression: '* * * * *', startAt: iso(on.next + hour) },
        nextAt: on.next + hour,
      });
      return on.next + 2 * minute;
    },
    /its schedule begins at/,
    'job',
  ],
  [
    'after-end',
    'will-not-run',
    async (on) => {
      await everyMinute(on, {
        trigger: { type: 'cron', expression: '* * * * *', endAt: iso(on.next + hour) },
      });
      return on.next + 2 * hour;
    },
    /its schedule ends at/,
    'job',
  ],
  [
    'ended',
    'did-not-run',
    async (on) => {
      await everyMinute(on, { nextAt: null });
      return on.next + hour;
    },
    /has come to its end/,
    'job',
  ],
  [
    'created-later',
    'did-not-run',
    async (on) => (await everyMinute(on)) - 24 * hour,
    /it was created later/,
    'job',
  ],
  [
    'schedule-changed',
    'unknown',
    async (on) => {
      const at = await everyMinute(on, { nextAt: on.next + hour });
      await on.storage.updateJob(ref('job'), { priority: 3 });
      return at;
    },
    /was changed later/,
    'job',
  ],
  [
    'schedule-changed',
    'unknown',
    async (on) => {
      const at = await everyMinute(on, { nextAt: on.next + hour });
      await on.storage.pauseJob(ref('job'), { reason: 'later', by: null });
      return at;
    },
    /was changed later/,
    'job',
  ],
  [
    'no-record',
    'unknown',
    async (on) => everyMinute(on, { nextAt: on.next + hour }),
    /Nothing is on record of "job" at/,
    null,
  ],
  [
    'deleted',
    'did-not-run',
    async (on) => {
      const at = await everyMinute(on);
      await settle(on.storage, await fireOne(on.storage, await startWorker(on.storage, work)));
      await on.storage.deleteJob(ref('job'));
      return at + 10 * minute;
    },
    /is no job any more|was deleted before/,
    null,
  ],
];

const iso = (at: number): string => new Date(at).toISOString();

describe.each(storageKinds)('explain on %s', (kind) => {
  const clock = new ManualClock();
  const schema = freshSchema('explain');
  const client = new pg.Client(databaseUrl());
  let storage: StorageAdapter;
  let ground: Ground;

  beforeAll(async () => {
    if (kind === 'memory') return;
    storage = newStorage({ schema, clock });
    await storage.init();
    await client.connect();
  });
  afterAll(async () => {
    if (kind === 'memory') return;
    await storage.close();
    await client.query(`drop schema "${schema}" cascade`);
    await client.end();
  });
  beforeEach(async () => {
    if (kind === 'memory') storage = new MemoryStorage({ clock });
    else await storage.beginTest!();
    ground = { storage, clock, next: (Math.floor(clock.now() / minute) + 1) * minute };
  });

  const explain = async (at: number | Date) =>
    explainInstant(ref('job'), at, {
      jobs: storage,
      now: await storage.now(),
      calendars: {},
      timeZone: 'UTC',
    });

  test.each(cases)('%s: %s', async (cause, answer, arrange, says, row) => {
    const at = await arrange(ground);
    const found = await explain(at);
    expect({
      cause: found.cause,
      answer: found.answer,
      row: found.row?.kind ?? null,
      sentence: found.sentence,
    }).toEqual({
      cause,
      answer,
      row,
      sentence: expect.stringMatching(says),
    });
    expect(found).toMatchObject({ jobId: 'job', namespace: 'default', at: new Date(at) });
    expect(found.sentence.endsWith('.')).toBe(true);
  });

  test('text is a wall time of the zone of the job', async () => {
    await everyMinute(ground, {
      timeZone: 'Asia/Seoul',
      trigger: { type: 'cron', expression: '0 9 * * *', timeZone: 'Asia/Seoul' },
      nextAt: ground.next + 100 * hour,
    });
    const { items } = await storage.queryJobs({}, {});
    expect(items).toHaveLength(1);
    const day = new Date(ground.next + 100 * hour).toISOString().slice(0, 10);
    const found = await explainInstant(ref('job'), `${day} 08:59`, {
      jobs: storage,
      now: await storage.now(),
      calendars: {},
      timeZone: 'UTC',
    });
    expect(found.sentence).toContain('08:59:00 (Asia/Seoul) is none of its times');
  });

  test('text to the second is the only instant within it, of the record and of the schedule', async () => {
    const ask = async (text: string) =>
      explainInstant(ref('job'), text, {
        jobs: storage,
        now: await storage.now(),
        calendars: {},
        timeZone: 'UTC',
      });
    await clock.advanceBy(second - (clock.now() % second) + 345);
    const at = clock.now();
    await addOneOff(storage, { dueInMs: 0 });
    const shown = new Date(at).toISOString().slice(0, 19);
    for (const text of [shown, `${shown}Z`, shown.replace('T', ' ')])
      expect(await ask(text)).toMatchObject({ at: new Date(at), cause: 'no-handler' });
    // A fraction is meant as it is.
    expect(await ask(`${shown}.000Z`)).toMatchObject({ cause: 'not-in-schedule' });
    const worker = await startWorker(storage, work);
    await settle(storage, await claimOne(storage, worker));
    expect(await ask(shown)).toMatchObject({ at: new Date(at), answer: 'ran', cause: 'succeeded' });
  });

  test('text to the second is its first moment where there are several instants in it', async () => {
    const every = { type: 'interval', every: 400, startAt: new Date(ground.next).toISOString() } as const;
    await addRecurring(storage, { nextAt: ground.next, trigger: { ...every, mode: 'fixed-rate' } as never });
    const shown = new Date(ground.next).toISOString().slice(0, 19);
    const found = await explainInstant(ref('job'), `${shown}Z`, {
      jobs: storage,
      now: await storage.now(),
      calendars: {},
      timeZone: 'UTC',
    });
    expect(found.at).toEqual(new Date(ground.next));
  });

  test('a job that never was is not found', async () => {
    await expect(explain(0)).rejects.toThrow(JobNotFoundError);
  });

  test('a one-off is explained by its run, and later by the ledger', async () => {
    await addOneOff(storage, { dueInMs: -second });
    const at = clock.now() - second;
    const worker = await startWorker(storage, work);
    expect(await explain(at)).toMatchObject({ cause: 'no-free-slot' });
    await settle(storage, await claimOne(storage, worker));
    expect(await explain(at)).toMatchObject({ cause: 'succeeded', answer: 'ran' });
  });
});
