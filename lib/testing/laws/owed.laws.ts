import assert from 'node:assert/strict';
import type { StorageAdapter } from '../../index.js';
import { lawsOf, type LawSubject } from '../law.js';
import {
  addRecurring,
  fireOne,
  gapsOf,
  hour,
  minute,
  only,
  oneOff,
  recurring,
  ref,
  runsOf,
  settle,
  startWorker,
} from './fixture.js';
import { changeStored, declared, insertDeclared } from './sync.fixture.js';

/** What every change of a schedule does to what is due by then. */
type Change = (storage: StorageAdapter, nextAt: number) => Promise<unknown>;

const everyHour = { type: 'cron' as const, expression: '0 * * * *' };
const byHand: Record<string, [change: Change, reason: string]> = {
  'an update': [
    (storage, nextAt) => storage.updateJob(ref('job'), { trigger: everyHour, nextAt }),
    'schedule changed',
  ],
  'an update to no further time': [
    (storage) => storage.updateJob(ref('job'), { trigger: { type: 'manual' }, nextAt: null }),
    'schedule changed',
  ],
  'a replacement': [
    async (storage, nextAt) =>
      storage.insertJobs([await recurring(storage, { trigger: everyHour, nextAt })], 'replace'),
    'schedule changed',
  ],
  'a replacement by a one-off': [
    async (storage) => storage.insertJobs([await oneOff(storage, { dueInMs: hour })], 'replace'),
    'job replaced',
  ],
  'a deletion': [(storage) => storage.deleteJob(ref('job')), 'job deleted'],
  'a deletion of many': [(storage) => storage.changeJobs([ref('job')], { kind: 'delete' }), 'job deleted'],
};

export const owedLaws = lawsOf('owed instants', {
  'are missed when the schedule goes or changes by hand, each on record once': async ({ storage, clock }) => {
    for (const [what, [change, reason]] of Object.entries(byHand)) {
      const { from, until } = await overdue(storage, (given) => addRecurring(storage, given));
      await change(storage, until + hour);
      const gap = only(await gapsOf(storage), `gap of ${what}`);
      assert.deepEqual(
        [gap.verdict, gap.reason, gap.count, gap.from.getTime(), gap.until?.getTime()],
        ['missed', reason, 3, from, until],
        `After ${what}`,
      );
      assert.deepEqual(
        (await runsOf(storage)).filter(({ origin }) => origin === 'schedule'),
        [],
      );
      await storage.deleteJob(ref('job'));
      assert.equal((await gapsOf(storage)).length, 1, `The job goes after ${what}.`);
      await forgetGaps(storage, clock);
    }
  },

  'are missed when a deploy changes the schedule, also of an orphan': async ({ storage, clock }) => {
    for (const isOrphan of [false, true]) {
      const { from, until } = await overdue(storage, async (given) =>
        insertDeclared(storage, [await declared(storage, given)]),
      );
      if (isOrphan) await changeStored(storage, (uid) => ({ kind: 'orphan', uid, reason: 'undeclared' }));
      const job = await declared(storage, { trigger: everyHour, nextAt: until + hour });
      await changeStored(storage, (uid) => ({ kind: 'update', uid, job, moveCursor: true }));
      const gap = only(await gapsOf(storage), 'gap');
      assert.deepEqual(
        [gap.verdict, gap.count, gap.from.getTime(), gap.until?.getTime()],
        ['missed', 3, from, until],
      );
      await changeStored(storage, (uid) => ({ kind: 'delete', uid }));
      assert.equal((await gapsOf(storage)).length, 1);
      await forgetGaps(storage, clock);
    }
  },

  'stay due where the schedule stays, and where the new one begins with them': async ({ storage }) => {
    const { from, until } = await overdue(storage, (given) => addRecurring(storage, given));
    await storage.updateJob(ref('job'), { name: 'other' });
    assert.deepEqual(await gapsOf(storage), []);
    await storage.updateJob(ref('job'), { nextAt: from + minute });
    const gap = only(await gapsOf(storage), 'gap');
    assert.deepEqual([gap.count, gap.from.getTime(), gap.until?.getTime()], [1, from, from]);
    const worker = await startWorker(storage);
    assert.equal((await fireOne(storage, worker, { nextAt: until })).nominalAt, from + minute);
  },

  'are not missed where they have fired': async ({ storage }) => {
    const { from, until } = await overdue(storage, (given) => addRecurring(storage, given));
    const worker = await startWorker(storage);
    await settle(storage, await fireOne(storage, worker, { nextAt: from + minute }));
    await storage.updateJob(ref('job'), { nextAt: from });
    await storage.updateJob(ref('job'), { trigger: everyHour, nextAt: until + hour });
    const gap = only(await gapsOf(storage), 'gap');
    assert.deepEqual([gap.count, gap.from.getTime(), gap.until?.getTime()], [2, from + minute, until]);
  },

  'that fell into a pause are paused when the schedule changes meanwhile, and the pause goes on under the new one':
    async ({ storage, clock }) => {
      const { from, until } = await overdue(storage, (given) => addRecurring(storage, given));
      await storage.pauseJob(ref('job'), { reason: 'works', by: null });
      await storage.updateJob(ref('job'), { trigger: everyHour, nextAt: until + hour });
      const [open, closed] = await gapsOf(storage);
      assert.deepEqual(
        [closed.verdict, closed.count, closed.from.getTime(), closed.until?.getTime()],
        ['paused', 3, from, until],
      );
      assert.deepEqual([open.verdict, open.from.getTime(), open.until], ['paused', until + hour, null]);
      await clock.advance(minute);
      let pausedFrom: number | null = null;
      await storage.resumeJob(ref('job'), (job) => {
        pausedFrom = job.pausedFrom;
        return { nextAt: until + hour, gap: null };
      });
      assert.equal(pausedFrom, until + hour);
      assert.equal((await gapsOf(storage)).length, 1);
    },
});

/** A job of each minute that stands two minutes before the last full one: three instants are due. */
async function overdue(
  storage: StorageAdapter,
  add: (given: { nextAt: number }) => Promise<unknown>,
): Promise<{ from: number; until: number }> {
  const until = Math.floor((await storage.now()) / minute) * minute;
  await add({ nextAt: until - 2 * minute });
  return { from: until - 2 * minute, until };
}

async function forgetGaps(storage: StorageAdapter, clock: LawSubject['clock']): Promise<void> {
  await clock.advance(2 * hour);
  await storage.prune({ defaultMs: hour, byVerdict: {} });
}
