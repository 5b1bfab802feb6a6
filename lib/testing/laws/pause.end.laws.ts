import assert from 'node:assert/strict';
import type {
  EndedPauses,
  NewGap,
  PauseEndPlans,
  ScopeRef,
  StandingPause,
  StorageAdapter,
} from '../../index.js';
import { lawsOf, type StorageSubject } from '../law.js';
import {
  addOneOff,
  addRecurring,
  assertNear,
  claimOne,
  day,
  gapsOf,
  hour,
  jobOf,
  minute,
  only,
  ref,
  second,
  startWorker,
} from './fixture.js';

const pause = { reason: 'audit', by: 'ops' };
const handler: ScopeRef = { kind: 'handler', name: 'work' };
const inAnHour = ({ pausedFrom }: { pausedFrom: number | null }, now: number) => {
  const gap: NewGap | null =
    pausedFrom === null || pausedFrom > now
      ? null
      : { from: pausedFrom, until: now, verdict: 'paused', count: 3, reason: 'pause' };
  return { nextAt: now + hour, gap };
};
const plans: PauseEndPlans = { job: () => inAnHour, scope: inAnHour };

async function end(storage: StorageAdapter, app = 'default', limit = 10): Promise<EndedPauses> {
  return storage.endPauses!(app, plans, limit);
}

async function ended(storage: StorageAdapter, app?: string): Promise<StandingPause[]> {
  return (await end(storage, app)).ended;
}

async function endsAt(storage: StorageAdapter): Promise<number | null> {
  return (await storage.nextWakeAt(await startWorker(storage, { leaseMs: 10 * day }))).pauseEndsAt ?? null;
}

/** For storages whose pauses can have ends. */
function law(check: (subject: StorageSubject) => Promise<void>): (subject: StorageSubject) => Promise<void> {
  return async (subject) => {
    if (subject.storage.endPauses) await check(subject);
  };
}

export const pauseEndLaws = lawsOf('end of a pause', {
  'is told with the pause, and when the first one is': law(async ({ storage }) => {
    await addRecurring(storage);
    await addOneOff(storage, { id: 'one-off' });
    const until = (await storage.now()) + hour;
    assert.equal(await endsAt(storage), null);
    for (const [nth, id] of ['job', 'one-off'].entries()) {
      const job = await storage.pauseJob(ref(id), { ...pause, until: until + nth });
      assert.equal(job?.paused?.until?.getTime(), until + nth);
      assert.deepEqual((await jobOf(storage, id)).paused, job.paused);
    }
    const scope = await storage.pauseScope(handler, { ...pause, until: until - 1 });
    assert.equal(scope.until?.getTime(), until - 1);
    assert.deepEqual(await storage.queryPauses(), [scope]);
    assert.equal(await endsAt(storage), until - 1);
    await storage.resumeScope(handler, inAnHour);
    assert.equal(await endsAt(storage), until);
    assert.deepEqual(await ended(storage), [], 'Before its time.');
  }),

  'is none unless it is asked for': law(async ({ storage }) => {
    await addRecurring(storage);
    assert.equal((await storage.pauseJob(ref('job'), pause))?.paused?.until, null);
    assert.equal((await storage.pauseScope(handler, { ...pause, until: null })).until, null);
    assert.equal(await endsAt(storage), null);
  }),

  'lets a job go on as its resume does, once': law(async ({ storage, clock }) => {
    const { nextRunAt, revision } = await addRecurring(storage);
    await addOneOff(storage, { id: 'one-off' });
    const until = (await storage.now()) + minute;
    for (const id of ['job', 'one-off']) await storage.pauseJob(ref(id), { ...pause, until });
    await clock.advance(minute);
    const worker = await startWorker(storage, { leaseMs: day });
    assert.deepEqual((await storage.claim(worker, 10)).runs, []);
    const done = await ended(storage);
    assert.deepEqual(done.map(({ name }) => name).sort(), ['job', 'one-off']);
    for (const { name: _, at, ...told } of done) {
      assertNear(at, until - minute, 'The time of the pause');
      assert.deepEqual(told, { kind: 'job', namespace: 'default', ...pause, until: new Date(until) });
    }
    const job = await jobOf(storage);
    assert.equal(job.paused, null);
    assert.ok(job.revision > revision + 1);
    assertNear(job.nextRunAt, (await storage.now()) + hour, 'The next time');
    const gap = only(await gapsOf(storage), 'gap');
    assert.deepEqual(gap.from, nextRunAt);
    assert.equal(gap.count, 3);
    await claimOne(storage, worker);
    assert.deepEqual(await ended(storage), []);
    assert.equal(await endsAt(storage), null);
  }),

  'lets a scope go on as its resume does': law(async ({ storage, clock }) => {
    await addRecurring(storage);
    const until = (await storage.now()) + minute;
    await storage.pauseScope(handler, { ...pause, until });
    await storage.pauseScope({ kind: 'all', name: '' }, { ...pause, until: until + minute });
    await clock.advance(minute);
    const [{ at: _, ...told }] = await ended(storage);
    assert.deepEqual(told, {
      kind: 'handler',
      namespace: null,
      name: 'work',
      ...pause,
      until: new Date(until),
    });
    only(await storage.queryPauses(), 'pause');
    assert.deepEqual(await gapsOf(storage), []);
    await clock.advance(minute);
    const [all] = await ended(storage);
    assert.equal(all.name, '');
    assert.deepEqual(await storage.queryPauses(), []);
    only(await gapsOf(storage), 'gap');
  }),

  'is that of the last who has paused it; all else is that of the first': law(async ({ storage, clock }) => {
    await addRecurring(storage);
    const now = await storage.now();
    const first = await storage.pauseJob(ref('job'), { ...pause, until: now + hour });
    const firstScope = await storage.pauseScope(handler, { ...pause, until: now + hour });
    await clock.advance(second);
    const other = { reason: 'other', by: null };
    const later = await storage.pauseJob(ref('job'), { ...other, until: now + 2 * hour });
    assert.deepEqual(later?.paused, { ...first?.paused, until: new Date(now + 2 * hour) });
    assert.equal(later?.revision, first!.revision + 1);
    const again = await storage.pauseJob(ref('job'), { ...other, until: now + 2 * hour });
    assert.equal(again?.revision, later?.revision, 'Nothing has changed.');
    const laterScope = await storage.pauseScope(handler, { ...other, until: now + 2 * hour });
    assert.deepEqual(laterScope, { ...firstScope, until: new Date(now + 2 * hour) });
    const [outcome] = await storage.changeJobs([ref('job')], { kind: 'pause', pause });
    assert.equal(outcome, 'changed');
    assert.equal((await jobOf(storage)).paused?.until, null);
    assert.equal((await storage.pauseScope(handler, other)).until, null);
    assert.equal(await endsAt(storage), null);
    await clock.advance(day);
    assert.deepEqual(await ended(storage), []);
  }),

  'is of that pause alone': law(async ({ storage, clock }) => {
    const until = (await storage.now()) + minute;
    await addRecurring(storage, { id: 'resumed' });
    await addRecurring(storage, { id: 'deleted' });
    await addOneOff(storage, { id: 'run' });
    await addOneOff(storage, { id: 'deleted one-off' });
    const ids = ['resumed', 'deleted', 'run', 'deleted one-off'];
    for (const id of ids) await storage.pauseJob(ref(id), { ...pause, until });
    await storage.pauseScope(handler, { ...pause, until });
    await clock.advance(second);
    await storage.resumeJob(ref('resumed'), inAnHour);
    await storage.deleteJob(ref('deleted'));
    await storage.runNow(ref('run'));
    await storage.changeJobs([ref('deleted one-off')], { kind: 'delete' });
    await storage.resumeScope(handler, inAnHour);
    assert.equal(await endsAt(storage), null);
    await addRecurring(storage, { id: 'deleted' });
    await addOneOff(storage, { id: 'deleted one-off' });
    for (const id of ids) assert.equal((await storage.pauseJob(ref(id), pause))?.paused?.until, null, id);
    await storage.pauseScope(handler, pause);
    await clock.advance(hour);
    assert.deepEqual(await ended(storage), []);
    assert.equal((await jobOf(storage, 'resumed')).state, 'paused');
    only(await storage.queryPauses(), 'pause');
  }),

  'stays with a job that is changed': law(async ({ storage, clock }) => {
    const until = (await storage.now()) + minute;
    await addRecurring(storage);
    await addOneOff(storage, { id: 'one-off' });
    for (const id of ['job', 'one-off']) await storage.pauseJob(ref(id), { ...pause, until });
    const at = new Date((await storage.now()) + day).toISOString();
    await storage.updateJob(ref('job'), { trigger: { type: 'at', at }, nextAt: Date.parse(at) });
    await storage.updateJob(ref('one-off'), {
      trigger: { type: 'cron', expression: '* * * * *' },
      nextAt: await storage.now(),
    });
    for (const id of ['job', 'one-off'])
      assert.equal((await jobOf(storage, id)).paused?.until?.getTime(), until, id);
    await clock.advance(minute);
    assert.equal((await ended(storage)).length, 2);
  }),

  'is for workers of its app': law(async ({ storage, clock }) => {
    const until = (await storage.now()) + minute;
    await addRecurring(storage, { id: 'theirs', app: 'other' });
    await addOneOff(storage, { id: 'one-off', app: 'other' });
    await storage.pauseJob(ref('theirs'), { ...pause, until });
    await clock.advance(hour);
    assert.equal(await endsAt(storage), null);
    assert.deepEqual(await ended(storage), []);
    assert.equal((await ended(storage, 'other')).length, 1);
  }),

  'comes for many at once, each once': law(async ({ storage, clock, open }) => {
    const ids = Array.from({ length: 250 }, (_, n) => `job ${n}`);
    for (const id of ids) await addRecurring(storage, { id });
    const until = (await storage.now()) + minute;
    for (let start = 0; start < ids.length; start += 100) {
      const refs = ids.slice(start, start + 100).map(ref);
      const outcomes = await storage.changeJobs(refs, { kind: 'pause', pause: { ...pause, until } });
      assert.ok(outcomes.every((outcome) => outcome === 'changed'));
    }
    await storage.pauseScope(handler, { ...pause, until });
    await clock.advance(minute);
    const adapters = [storage, await open()];
    const results = await Promise.all(
      Array.from({ length: 6 }, (_, nth) => end(adapters[nth % 2], 'default', 1_000)),
    );
    const names = results.flatMap(({ ended: some }) => some.map(({ name }) => name));
    assert.deepEqual(names.sort(), [...ids, 'work'].sort());
  }),

  'comes in steps': law(async ({ storage, clock }) => {
    for (const id of ['a', 'b', 'c']) {
      await addRecurring(storage, { id });
      await storage.pauseJob(ref(id), { ...pause, until: (await storage.now()) + minute });
      await clock.advance(second);
    }
    await clock.advance(hour);
    const first = await end(storage, 'default', 2);
    assert.deepEqual(
      first.ended.map(({ name }) => name),
      ['a', 'b'],
    );
    assert.equal(first.more, true);
    assert.deepEqual(
      (await end(storage, 'default', 2)).ended.map(({ name }) => name),
      ['c'],
    );
  }),

  'comes for the others though one cannot be ended': law(async ({ storage, clock }) => {
    for (const id of ['a', 'b']) {
      await addRecurring(storage, { id });
      await storage.pauseJob(ref(id), { ...pause, until: (await storage.now()) + minute });
    }
    await clock.advance(hour);
    const failing: PauseEndPlans = {
      ...plans,
      job: () => (job, now) => {
        if (job.id === 'a') throw new RangeError('no next time');
        return inAnHour(job, now);
      },
    };
    const { ended: some, refused } = await storage.endPauses!('default', failing, 10);
    assert.equal(only(some, 'ended pause').name, 'b');
    assert.match(String(only(refused!, 'refusal').error), /no next time/);
    assert.equal((await jobOf(storage, 'a')).state, 'paused');
    assert.equal(only(await ended(storage), 'ended pause').name, 'a');
  }),

  'tells others, where there is a wake signal': law(async ({ storage, open }) => {
    const other = await open();
    if (!other.wakeSignal) return;
    await addRecurring(storage, { trigger: { type: 'manual' }, dueInMs: null });
    let next: () => void = () => undefined;
    const heard = new Promise<void>((resolve) => (next = resolve));
    const stop = await other.wakeSignal.subscribe(({ kind }) => {
      if (kind === 'change') next();
    });
    await storage.pauseJob(ref('job'), { ...pause, until: (await storage.now()) + minute });
    await heard;
    await stop();
  }),

  'that is missing for long is told once': law(async ({ storage, clock, open }) => {
    if (!storage.stalePauses || !storage.notePauses) return;
    await addRecurring(storage);
    await addRecurring(storage, { id: 'timed' });
    await addOneOff(storage, { id: 'one-off' });
    await storage.pauseJob(ref('job'), pause);
    await storage.pauseJob(ref('one-off'), pause);
    await storage.pauseJob(ref('timed'), { ...pause, until: (await storage.now()) + 10 * day });
    await clock.advance(second);
    const scope = await storage.pauseScope(handler, pause);
    assert.deepEqual(await storage.stalePauses(day, 10, true), []);
    await clock.advance(day);
    const { paused } = await jobOf(storage);
    const both: StandingPause[] = [
      { kind: 'job', namespace: 'default', name: 'job', ...paused! },
      { kind: 'handler', namespace: null, name: 'work', ...pause, at: scope.at, until: null },
    ];
    assert.deepEqual(await storage.stalePauses(day, 10, true), both);
    assert.deepEqual(await storage.stalePauses(day, 1, true), both.slice(0, 1));
    const other = await open();
    const told = await Promise.all([storage.notePauses(both), other.notePauses!(both)]);
    assert.deepEqual(
      told
        .flat()
        .map(({ name }) => name)
        .sort(),
      ['job', 'work'],
    );
    assert.deepEqual(await other.stalePauses!(day, 10, true), []);
    assert.deepEqual(await other.stalePauses!(day, 10, false), both);
    assert.equal((await jobOf(storage)).paused?.until, null);
    assert.equal((await storage.queryPauses())[0].until, null);
    await storage.resumeJob(ref('job'), inAnHour);
    await storage.pauseJob(ref('job'), pause);
    assert.equal(only(await storage.stalePauses(0, 10, true), 'pause').name, 'job');
    assert.deepEqual(await ended(storage), []);
  }),
});
